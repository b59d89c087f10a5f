import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;

/**
 * HL7's validator over many resources in one process.
 *
 * Arguments: folders of conformance resources. Standard input: one resource a line, as a JSON
 * object {"name", "body"}; standard output: {"name", "issues": [{"severity", "at", "id", "says"}]}.
 * No terminology server: a code system that neither these folders nor R4 itself define is an error.
 */
public final class Validate {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** R4's own extensions that the guides name with a version, which HAPI's R4 does not answer. */
    private static final List<String> BY_VERSION =
            List.of("http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice");

    public static void main(String[] folders) throws IOException {
        // The libraries print, too; only answers belong on standard output.
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        FhirContext context = FhirContext.forR4();
        FhirValidator validator = validator(context, folders);
        List<String> lines;
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            lines = in.lines().toList();
        }
        // The first alone: it fills the caches that all others share.
        Stream.concat(
                        lines.stream().limit(1).map(line -> answer(validator, line)),
                        lines.stream().skip(1).parallel().map(line -> answer(validator, line)))
                .forEachOrdered(answers::println);
        answers.flush();
    }

    private static String answer(FhirValidator validator, String line) {
        try {
            Map<?, ?> asked = JSON.readValue(line, Map.class);
            List<Map<String, String>> issues = new ArrayList<>();
            for (SingleValidationMessage said :
                    validator.validateWithResult((String) asked.get("body")).getMessages()) {
                Map<String, String> issue = new LinkedHashMap<>();
                issue.put("severity", said.getSeverity().getCode());
                issue.put("at", String.valueOf(said.getLocationString()));
                issue.put("id", String.valueOf(said.getMessageId()));
                issue.put("says", said.getMessage());
                issues.add(issue);
            }
            return JSON.writeValueAsString(Map.of("name", asked.get("name"), "issues", issues));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static FhirValidator validator(FhirContext context, String[] folders)
            throws IOException {
        PrePopulatedValidationSupport guides = new PrePopulatedValidationSupport(context);
        for (String folder : folders) {
            for (Path path : files(Path.of(folder))) {
                guides.addResource(read(context, path));
            }
        }
        DefaultProfileValidationSupport core = new DefaultProfileValidationSupport(context);
        for (String extension : BY_VERSION) {
            guides.addResource(core.fetchStructureDefinition(extension));
        }
        ValidationSupportChain chain =
                new ValidationSupportChain(
                        core,
                        guides,
                        new CommonCodeSystemsTerminologyService(context),
                        new InMemoryTerminologyServerValidationSupport(context),
                        new SnapshotGeneratingValidationSupport(context));
        // FHIR's rule for a binding: one coding of a concept from the value set is enough.
        chain.setCodeableConceptValidationSuccessfulIfNotAllCodingsAreValid(true);
        FhirInstanceValidator rules = new FhirInstanceValidator(chain);
        rules.setErrorForUnknownProfiles(true);
        rules.setAnyExtensionsAllowed(false);
        return context.newValidator().registerValidatorModule(rules);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> found = Files.list(folder)) {
            return found.filter(path -> path.toString().endsWith(".json")).sorted().toList();
        }
    }

    private static IBaseResource read(FhirContext context, Path path) throws IOException {
        return context.newJsonParser().parseResource(Files.readString(path));
    }
}
