package emla.peer.dss;

import com.google.gson.JsonObject;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.model.x509.revocation.crl.CRL;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.RevocationSource;
import eu.europa.esig.dss.spi.x509.revocation.RevocationToken;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.RevocationDataVerifierFactory;
import java.io.File;
import java.util.List;
import java.util.stream.Stream;

/** {@code {"trust": folder of certificates, "crls"?: folder}}; nothing is fetched over a network. */
final class Trust {
  static CommonCertificateVerifier verifier(JsonObject arguments) throws Exception {
    var trusted = new CommonTrustedCertificateSource();
    for (File file : new File(Main.text(arguments, "trust")).listFiles()) {
      trusted.addCertificate(DSSUtils.loadCertificate(file));
    }
    var verifier = new CommonCertificateVerifier();
    verifier.setTrustedCertSources(trusted);
    verifier.setAIASource(null);
    verifier.setRevocationDataVerifier(
        new RevocationDataVerifierFactory(Validation.policy(arguments)).create());
    if (arguments.has("crls")) {
      verifier.setCrlSource(new Lists(new File(Main.text(arguments, "crls"))));
    }
    return verifier;
  }

  @SuppressWarnings("serial")
  private static final class Lists implements RevocationSource<CRL> {
    private final ExternalResourcesCRLSource source;

    Lists(File folder) {
      source =
          new ExternalResourcesCRLSource(
              Stream.of(folder.listFiles()).map(FileDocument::new).toArray(DSSDocument[]::new));
    }

    @Override
    public RevocationToken<CRL> getRevocationToken(
        CertificateToken certificate, CertificateToken issuer) {
      List<RevocationToken<CRL>> found = source.getRevocationTokens(certificate, issuer);
      return found.isEmpty() ? null : found.get(0);
    }
  }

  private Trust() {}
}
