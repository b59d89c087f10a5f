import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.h2.jdbcx.JdbcConnectionPool;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * HAPI's JPA server for FHIR R4, with HAPI's own settings, over a database in memory.
 *
 * On a free port of the loopback interface; its address is the one line on standard output. It ends
 * when standard input does, so that it outlives nobody who started it.
 */
public final class Serve {
    private static final String DATABASE = "jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1";

    public static void main(String[] arguments) throws Exception {
        ServerConnector connector = serve(servlet(assembled()));
        System.out.println("http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
        while (System.in.read() >= 0) {
            continue; // nothing is said on it: only its end counts
        }
        System.exit(0);
    }

    private static AnnotationConfigApplicationContext assembled() {
        AnnotationConfigApplicationContext parts = new AnnotationConfigApplicationContext();
        parts.registerBean(DataSource.class, () -> JdbcConnectionPool.create(DATABASE, "", ""));
        parts.registerBean(JpaStorageSettings.class);
        parts.registerBean(PartitionSettings.class);
        parts.registerBean(SubscriptionSettings.class);
        parts.registerBean(
                "entityManagerFactory",
                LocalContainerEntityManagerFactoryBean.class,
                () -> entities(parts));
        parts.registerBean(
                "transactionManager",
                JpaTransactionManager.class,
                () -> new JpaTransactionManager(parts.getBean(EntityManagerFactory.class)));
        parts.register(
                JpaR4Config.class,
                HapiJpaConfig.class,
                JpaBatch2Config.class,
                Batch2JobsConfig.class,
                ThreadPoolFactoryConfig.class,
                SubscriptionChannelConfig.class);
        parts.refresh();
        return parts;
    }

    private static LocalContainerEntityManagerFactoryBean entities(
            AnnotationConfigApplicationContext parts) {
        LocalContainerEntityManagerFactoryBean made =
                HapiEntityManagerFactoryUtil.newEntityManagerFactory(
                        parts.getBeanFactory(),
                        parts.getBean(FhirContext.class),
                        parts.getBean(JpaStorageSettings.class));
        made.setPersistenceUnitName("fhir");
        made.setDataSource(parts.getBean(DataSource.class));
        Properties properties = new Properties();
        properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
        properties.put("hibernate.hbm2ddl.auto", "create");
        properties.put("hibernate.search.enabled", "false"); // full text is not asked for
        made.setJpaProperties(properties);
        return made;
    }

    private static RestfulServer servlet(AnnotationConfigApplicationContext parts) {
        RestfulServer fhir = new RestfulServer(parts.getBean(FhirContext.class));
        fhir.registerProviders(parts.getBean(ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(parts.getBean(IJpaSystemProvider.class));
        fhir.setPagingProvider(parts.getBean(DatabaseBackedPagingProvider.class));
        return fhir;
    }

    private static ServerConnector serve(RestfulServer fhir) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        ServletContextHandler context = new ServletContextHandler("/");
        context.addServlet(new ServletHolder(fhir), "/fhir/*");
        server.setHandler(context);
        server.start();
        return connector;
    }
}
