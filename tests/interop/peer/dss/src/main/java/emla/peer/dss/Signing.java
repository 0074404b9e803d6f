package emla.peer.dss;

import com.google.gson.JsonObject;
import eu.europa.esig.dss.asic.xades.ASiCWithXAdESSignatureParameters;
import eu.europa.esig.dss.asic.xades.signature.ASiCWithXAdESService;
import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.ASiCContainerType;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.signature.AbstractSignatureParameters;
import eu.europa.esig.dss.signature.AbstractSignatureService;
import eu.europa.esig.dss.signature.DocumentSignatureService;
import eu.europa.esig.dss.signature.MultipleDocumentsSignatureService;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESCounterSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.KeyStore.PasswordProtection;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;

/**
 * {@code {"format": enveloped | enveloping | enveloping, element | detached | asic-s | asic-e |
 * pades | cades | cades, detached, "level": B | T | LT | LTA, "files": [file], "out", "keystore", "password", "digest"?,
 * "pss"?, "trust", "crls"?, "tsa"?: PKCS#12 file with the same password, "at"?: time of its
 * timestamps}} signs; {@code extend} takes one "file", what it signs as "detached", no keystore;
 * {@code countersign} one XML "file" with the signature "id".
 */
final class Signing {
  static Object sign(JsonObject arguments) throws Exception {
    try (var token =
        new Pkcs12SignatureToken(
            Main.text(arguments, "keystore"), new PasswordProtection(password(arguments)))) {
      DSSDocument signed =
          switch (Main.text(arguments, "format")) {
            case "asic-s", "asic-e" ->
                several(arguments, token, asicService(arguments), asicParameters(arguments));
            case "pades" ->
                one(arguments, token, padesService(arguments), padesParameters(arguments));
            case "cades", "cades, detached" ->
                one(arguments, token, cadesService(arguments), cadesParameters(arguments));
            default ->
                several(arguments, token, xadesService(arguments), xadesParameters(arguments));
          };
      return saved(arguments, signed);
    }
  }

  static Object extend(JsonObject arguments) throws Exception {
    var document = new FileDocument(Main.text(arguments, "file"));
    DSSDocument extended =
        switch (Main.text(arguments, "format")) {
          case "asic-s", "asic-e" ->
              asicService(arguments).extendDocument(document, asicParameters(arguments));
          case "pades" ->
              padesService(arguments).extendDocument(document, padesParameters(arguments));
          case "cades", "cades, detached" -> {
            CAdESSignatureParameters parameters = cadesParameters(arguments);
            parameters.setDetachedContents(Main.documents(arguments, "detached"));
            yield cadesService(arguments).extendDocument(document, parameters);
          }
          default -> {
            XAdESSignatureParameters parameters = xadesParameters(arguments);
            parameters.setDetachedContents(Main.documents(arguments, "detached"));
            yield xadesService(arguments).extendDocument(document, parameters);
          }
        };
    return saved(arguments, extended);
  }

  static Object countersign(JsonObject arguments) throws Exception {
    var document = new FileDocument(Main.text(arguments, "file"));
    var service = xadesService(arguments);
    var parameters = new XAdESCounterSignatureParameters();
    parameters.setSignatureLevel(level("XAdES", arguments));
    parameters.setSignatureIdToCounterSign(Main.text(arguments, "id"));
    try (var token =
        new Pkcs12SignatureToken(
            Main.text(arguments, "keystore"), new PasswordProtection(password(arguments)))) {
      DSSPrivateKeyEntry key = prepare(arguments, token, parameters);
      ToBeSigned content = service.getDataToBeCounterSigned(document, parameters);
      SignatureValue value = value(token, content, parameters, key);
      return saved(arguments, service.counterSignSignature(document, parameters, value));
    }
  }

  private static <P extends AbstractSignatureParameters<?>> DSSDocument several(
      JsonObject arguments,
      Pkcs12SignatureToken token,
      MultipleDocumentsSignatureService<P, ?> service,
      P parameters) {
    DSSPrivateKeyEntry key = prepare(arguments, token, parameters);
    List<DSSDocument> documents = Main.documents(arguments, "files");
    ToBeSigned content = service.getDataToSign(documents, parameters);
    return service.signDocument(documents, parameters, value(token, content, parameters, key));
  }

  private static <P extends AbstractSignatureParameters<?>> DSSDocument one(
      JsonObject arguments,
      Pkcs12SignatureToken token,
      DocumentSignatureService<P, ?> service,
      P parameters) {
    DSSPrivateKeyEntry key = prepare(arguments, token, parameters);
    DSSDocument document = Main.documents(arguments, "files").get(0);
    ToBeSigned content = service.getDataToSign(document, parameters);
    return service.signDocument(document, parameters, value(token, content, parameters, key));
  }

  private static DSSPrivateKeyEntry prepare(
      JsonObject arguments,
      Pkcs12SignatureToken token,
      AbstractSignatureParameters<?> parameters) {
    DSSPrivateKeyEntry key = token.getKeys().get(0);
    parameters.setSigningCertificate(key.getCertificate());
    parameters.setCertificateChain(List.of(key.getCertificateChain()));
    parameters.setDigestAlgorithm(
        DigestAlgorithm.valueOf(Main.text(arguments, "digest", "SHA256")));
    if (arguments.has("pss") && arguments.get("pss").getAsBoolean()) {
      parameters.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
    }
    return key;
  }

  private static SignatureValue value(
      Pkcs12SignatureToken token,
      ToBeSigned content,
      AbstractSignatureParameters<?> parameters,
      DSSPrivateKeyEntry key) {
    return token.sign(content, parameters.getSignatureAlgorithm(), key);
  }

  private static XAdESService xadesService(JsonObject arguments) throws Exception {
    return timestamping(arguments, new XAdESService(Trust.verifier(arguments)));
  }

  private static ASiCWithXAdESService asicService(JsonObject arguments) throws Exception {
    return timestamping(arguments, new ASiCWithXAdESService(Trust.verifier(arguments)));
  }

  private static PAdESService padesService(JsonObject arguments) throws Exception {
    return timestamping(arguments, new PAdESService(Trust.verifier(arguments)));
  }

  private static CAdESService cadesService(JsonObject arguments) throws Exception {
    return timestamping(arguments, new CAdESService(Trust.verifier(arguments)));
  }

  private static <S extends AbstractSignatureService<?, ?>> S timestamping(
      JsonObject arguments, S service) throws Exception {
    if (arguments.has("tsa")) {
      service.setTspSource(timestampSource(arguments));
    }
    return service;
  }

  private static KeyEntityTSPSource timestampSource(JsonObject arguments) throws Exception {
    var keys = KeyStore.getInstance("PKCS12");
    try (InputStream file = new FileInputStream(Main.text(arguments, "tsa"))) {
      keys.load(file, password(arguments));
    }
    var source =
        new KeyEntityTSPSource(keys, keys.aliases().nextElement(), password(arguments));
    source.setTsaPolicy("1.3.6.1.4.1.32473.1");
    if (arguments.has("at")) {
      source.setProductionTime(Date.from(Instant.parse(Main.text(arguments, "at"))));
    }
    return source;
  }

  private static XAdESSignatureParameters xadesParameters(JsonObject arguments) {
    var parameters = new XAdESSignatureParameters();
    parameters.setSignatureLevel(level("XAdES", arguments));
    parameters.setSignaturePackaging(
        switch (Main.text(arguments, "format")) {
          case "enveloped" -> SignaturePackaging.ENVELOPED;
          case "detached" -> SignaturePackaging.DETACHED;
          default -> SignaturePackaging.ENVELOPING;
        });
    parameters.setEmbedXML("enveloping, element".equals(Main.text(arguments, "format")));
    return parameters;
  }

  private static ASiCWithXAdESSignatureParameters asicParameters(JsonObject arguments) {
    var parameters = new ASiCWithXAdESSignatureParameters();
    parameters.setSignatureLevel(level("XAdES", arguments));
    parameters
        .aSiC()
        .setContainerType(
            "asic-s".equals(Main.text(arguments, "format"))
                ? ASiCContainerType.ASiC_S
                : ASiCContainerType.ASiC_E);
    return parameters;
  }

  private static PAdESSignatureParameters padesParameters(JsonObject arguments) {
    var parameters = new PAdESSignatureParameters();
    parameters.setSignatureLevel(level("PAdES", arguments));
    return parameters;
  }

  private static CAdESSignatureParameters cadesParameters(JsonObject arguments) {
    var parameters = new CAdESSignatureParameters();
    parameters.setSignatureLevel(level("CAdES", arguments));
    parameters.setSignaturePackaging(
        "cades".equals(Main.text(arguments, "format"))
            ? SignaturePackaging.ENVELOPING
            : SignaturePackaging.DETACHED);
    return parameters;
  }

  private static SignatureLevel level(String family, JsonObject arguments) {
    return SignatureLevel.valueOf(family + "_BASELINE_" + Main.text(arguments, "level", "B"));
  }

  private static char[] password(JsonObject arguments) {
    return Main.text(arguments, "password").toCharArray();
  }

  private static Object saved(JsonObject arguments, DSSDocument document) throws IOException {
    document.save(Main.text(arguments, "out"));
    return Map.of("out", Main.text(arguments, "out"));
  }

  private Signing() {}
}
