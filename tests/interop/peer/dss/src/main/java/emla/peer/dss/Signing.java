package emla.peer.dss;

import com.google.gson.JsonObject;

import eu.europa.esig.dss.asic.xades.ASiCWithXAdESSignatureParameters;
import eu.europa.esig.dss.asic.xades.signature.ASiCWithXAdESService;
import eu.europa.esig.dss.enumerations.ASiCContainerType;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.signature.AbstractSignatureParameters;
import eu.europa.esig.dss.signature.DocumentSignatureService;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.IOException;
import java.security.KeyStore.PasswordProtection;
import java.util.List;
import java.util.Map;

/**
 * {@code {"format": enveloped|detached|asic-s|pades, "file", "out", "keystore", "password",
 * "digest"?}} signs at baseline level B.
 */
final class Signing {
  static Object run(JsonObject arguments) throws IOException {
    var verifier = new CommonCertificateVerifier();
    var password = new PasswordProtection(Main.text(arguments, "password").toCharArray());
    try (var token = new Pkcs12SignatureToken(Main.text(arguments, "keystore"), password)) {
      var job = new Job(arguments, token, token.getKeys().get(0));
      switch (Main.text(arguments, "format")) {
        case "enveloped" -> job.xades(verifier, SignaturePackaging.ENVELOPED);
        case "detached" -> job.xades(verifier, SignaturePackaging.DETACHED);
        case "asic-s" -> job.asic(verifier);
        case "pades" -> job.pades(verifier);
        default -> throw new IllegalArgumentException(Main.text(arguments, "format"));
      }
    }
    return Map.of("out", Main.text(arguments, "out"));
  }

  private record Job(JsonObject arguments, Pkcs12SignatureToken token, DSSPrivateKeyEntry key) {
    void xades(CommonCertificateVerifier verifier, SignaturePackaging packaging)
        throws IOException {
      var parameters = new XAdESSignatureParameters();
      parameters.setSignatureLevel(SignatureLevel.XAdES_BASELINE_B);
      parameters.setSignaturePackaging(packaging);
      sign(new XAdESService(verifier), parameters);
    }

    void asic(CommonCertificateVerifier verifier) throws IOException {
      var parameters = new ASiCWithXAdESSignatureParameters();
      parameters.setSignatureLevel(SignatureLevel.XAdES_BASELINE_B);
      parameters.aSiC().setContainerType(ASiCContainerType.ASiC_S);
      sign(new ASiCWithXAdESService(verifier), parameters);
    }

    void pades(CommonCertificateVerifier verifier) throws IOException {
      var parameters = new PAdESSignatureParameters();
      parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
      sign(new PAdESService(verifier), parameters);
    }

    private <P extends AbstractSignatureParameters<?>> void sign(
        DocumentSignatureService<P, ?> service, P parameters) throws IOException {
      parameters.setSigningCertificate(key.getCertificate());
      parameters.setCertificateChain(List.of(key.getCertificateChain()));
      parameters.setDigestAlgorithm(
          arguments.has("digest")
              ? DigestAlgorithm.valueOf(Main.text(arguments, "digest"))
              : DigestAlgorithm.SHA256);
      DSSDocument document = new FileDocument(Main.text(arguments, "file"));
      SignatureValue value =
          token.sign(
              service.getDataToSign(document, parameters), parameters.getDigestAlgorithm(), key);
      service.signDocument(document, parameters, value).save(Main.text(arguments, "out"));
    }
  }

  private Signing() {}
}
