package emla.peer.dss;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.enumerations.Level;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.policy.EtsiValidationPolicy;
import eu.europa.esig.dss.policy.ValidationPolicyFacade;
import eu.europa.esig.dss.policy.jaxb.BasicSignatureConstraints;
import eu.europa.esig.dss.policy.jaxb.CertificateConstraints;
import eu.europa.esig.dss.policy.jaxb.ConstraintsParameters;
import eu.europa.esig.dss.policy.jaxb.LevelConstraint;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code {"file", "trust": folder of PEM or DER, "detached"?: [file]}} to one entry a signature. */
final class Validation {
  private static final ValidationPolicy POLICY = policyWithoutRevocation();

  static Object run(JsonObject arguments) {
    SignedDocumentValidator validator =
        SignedDocumentValidator.fromDocument(new FileDocument(Main.text(arguments, "file")));
    validator.setCertificateVerifier(verifier(new File(Main.text(arguments, "trust"))));
    if (arguments.has("detached")) {
      List<DSSDocument> contents = new ArrayList<>();
      for (JsonElement file : arguments.getAsJsonArray("detached")) {
        contents.add(new FileDocument(file.getAsString()));
      }
      validator.setDetachedContents(contents);
    }
    Reports reports = validator.validateDocument(POLICY);
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

  private static CommonCertificateVerifier verifier(File folder) {
    var trusted = new CommonTrustedCertificateSource();
    for (File file : folder.listFiles()) {
      trusted.addCertificate(DSSUtils.loadCertificate(file));
    }
    // No AIA, OCSP or CRL source: nothing is fetched.
    var verifier = new CommonCertificateVerifier();
    verifier.setTrustedCertSources(trusted);
    return verifier;
  }

  /** The policy that DSS ships, algorithms and all, without its demand for revocation data. */
  private static ValidationPolicy policyWithoutRevocation() {
    ConstraintsParameters policy;
    try (InputStream shipped =
        ValidationPolicyFacade.class.getResourceAsStream("/policy/constraint.xml")) {
      policy = ValidationPolicyFacade.newFacade().unmarshall(shipped);
    } catch (Exception problem) {
      throw new IllegalStateException(problem);
    }
    BasicSignatureConstraints basic =
        policy.getSignatureConstraints().getBasicSignatureConstraints();
    for (CertificateConstraints certificate :
        List.of(basic.getSigningCertificate(), basic.getCACertificate())) {
      certificate.setRevocationDataAvailable(ignore());
      certificate.setAcceptableRevocationDataFound(ignore());
      certificate.setRevocationInfoAccessPresent(ignore());
    }
    // XML and PDF must fit their schemas; by default DSS merely says so.
    policy.getSignatureConstraints().getStructuralValidation().setLevel(Level.FAIL);
    return new EtsiValidationPolicy(policy);
  }

  private static LevelConstraint ignore() {
    var constraint = new LevelConstraint();
    constraint.setLevel(Level.IGNORE);
    return constraint;
  }

  private Validation() {}
}
