package emla.peer.dss;

import com.google.gson.JsonObject;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.enumerations.Level;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.policy.EtsiValidationPolicy;
import eu.europa.esig.dss.policy.ValidationPolicyFacade;
import eu.europa.esig.dss.policy.jaxb.Algo;
import eu.europa.esig.dss.policy.jaxb.BasicSignatureConstraints;
import eu.europa.esig.dss.policy.jaxb.CertificateConstraints;
import eu.europa.esig.dss.policy.jaxb.ConstraintsParameters;
import eu.europa.esig.dss.policy.jaxb.CryptographicConstraint;
import eu.europa.esig.dss.policy.jaxb.LevelConstraint;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code {"file", "trust", "crls"?, "revocation"?: whether revocation data must be there, "detached"?:
 * [file], "at"?: ISO 8601}} to one entry a signature.
 */
final class Validation {
  static Object run(JsonObject arguments) throws Exception {
    SignedDocumentValidator validator =
        SignedDocumentValidator.fromDocument(new FileDocument(Main.text(arguments, "file")));
    validator.setCertificateVerifier(Trust.verifier(arguments));
    validator.setDetachedContents(Main.documents(arguments, "detached"));
    if (arguments.has("at")) {
      validator.setValidationTime(Date.from(Instant.parse(Main.text(arguments, "at"))));
    }
    Reports reports = validator.validateDocument(policy(arguments));
    List<Object> signatures = new ArrayList<>();
    for (String id : reports.getSimpleReport().getSignatureIdList()) {
      signatures.add(
          entry(reports.getSimpleReport(), reports.getDiagnosticData().getSignatureById(id)));
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("signatures", signatures);
    result.put("container", String.valueOf(reports.getSimpleReport().getContainerType()));
    return result;
  }

  private static Map<String, Object> entry(SimpleReport report, SignatureWrapper signature) {
    String id = signature.getId();
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("indication", String.valueOf(report.getIndication(id)));
    entry.put("sub_indication", String.valueOf(report.getSubIndication(id)));
    entry.put("format", String.valueOf(report.getSignatureFormat(id)));
    entry.put("signer", String.valueOf(report.getSignedBy(id)));
    entry.put("counter_signature", signature.isCounterSignature());
    entry.put("roles", signature.getSignerRoleDetails(signature.getClaimedRoles()));
    entry.put(
        "commitments",
        signature.getCommitmentTypeIndications().stream().map(c -> c.getIdentifier()).toList());
    entry.put("city", signature.getCity());
    entry.put("timestamps", signature.getTimestampIdsList().size());
    entry.put("intact", signature.isSignatureIntact());
    entry.put("valid", signature.isSignatureValid());
    entry.put("structure_valid", signature.isStructuralValidationValid());
    entry.put("structure_messages", signature.getStructuralValidationMessages());
    entry.put(
        "scopes",
        report.getSignatureScopes(id).stream().map(s -> s.getScope() + " " + s.getName()).toList());
    entry.put("errors", texts(report.getAdESValidationErrors(id)));
    entry.put("warnings", texts(report.getAdESValidationWarnings(id)));
    return entry;
  }

  private static List<String> texts(List<Message> messages) {
    return messages.stream().map(Message::getValue).toList();
  }

  /** The policy that DSS ships, but for what a test PKI lacks, and with EdDSA. */
  static ValidationPolicy policy(JsonObject arguments) throws Exception {
    boolean revocation =
        arguments.has("revocation") && arguments.get("revocation").getAsBoolean();
    ConstraintsParameters policy;
    try (InputStream shipped =
        ValidationPolicyFacade.class.getResourceAsStream("/policy/constraint.xml")) {
      policy = ValidationPolicyFacade.newFacade().unmarshall(shipped);
    }
    // XML and PDF must fit their schemas; by default DSS merely says so.
    policy.getSignatureConstraints().getStructuralValidation().setLevel(Level.FAIL);
    BasicSignatureConstraints basic =
        policy.getSignatureConstraints().getBasicSignatureConstraints();
    for (CertificateConstraints certificate :
        List.of(basic.getSigningCertificate(), basic.getCACertificate())) {
      // The certificates of a test PKI say nowhere where more could be had.
      certificate.setAuthorityInfoAccessPresent(ignore());
      certificate.setRevocationInfoAccessPresent(ignore());
      if (!revocation) {
        certificate.setRevocationDataAvailable(ignore());
        certificate.setAcceptableRevocationDataFound(ignore());
      }
    }
    CryptographicConstraint algorithms = policy.getCryptographic();
    algorithms.getAcceptableEncryptionAlgo().getAlgos().add(edDsa());
    algorithms.getMiniPublicKeySize().getAlgos().add(edDsa());
    return new EtsiValidationPolicy(policy);
  }

  /** ETSI TS 119 312 does not mention it, so neither does the policy that DSS ships. */
  private static Algo edDsa() {
    var algorithm = new Algo();
    algorithm.setValue("EdDSA");
    algorithm.setSize(24);
    return algorithm;
  }

  private static LevelConstraint ignore() {
    var constraint = new LevelConstraint();
    constraint.setLevel(Level.IGNORE);
    return constraint;
  }

  private Validation() {}
}
