"""The durable heart: SQLite, sealed, one thread. The row is the truth; memory is a hint.

`store` opens it and runs each step on its own thread; the other modules are the steps, every
function one transaction: `frames` (the inbox) and `aside` (what makes no reading), `sessions`,
`devices` and `bindings`, `readings`, `rendering`, `delivery`, `receipts`, `replay`, `orders`
(commands), `attention` (held and parked rows) and `technician` (the word on them), `facts` (for
health), `trail` and `trace` (journeys).
"""
