package emla.peer.phase4;

import com.google.gson.JsonObject;
import com.helger.phase4.CAS4;
import com.helger.phase4.crypto.AS4CryptoFactoryInMemoryKeyStore;
import com.helger.phase4.crypto.ECryptoAlgorithmCrypt;
import com.helger.phase4.crypto.ECryptoAlgorithmSign;
import com.helger.phase4.crypto.ECryptoAlgorithmSignDigest;
import com.helger.phase4.crypto.IAS4CryptoFactory;
import com.helger.phase4.model.EMEP;
import com.helger.phase4.model.EMEPBinding;
import com.helger.phase4.model.pmode.IPMode;
import com.helger.phase4.model.pmode.PMode;
import com.helger.phase4.model.pmode.PModeParty;
import com.helger.phase4.model.pmode.leg.EPModeSendReceiptReplyPattern;
import com.helger.phase4.model.pmode.leg.PModeLeg;
import com.helger.phase4.model.pmode.leg.PModeLegBusinessInformation;
import com.helger.phase4.model.pmode.leg.PModeLegErrorHandling;
import com.helger.phase4.model.pmode.leg.PModeLegProtocol;
import com.helger.phase4.model.pmode.leg.PModeLegSecurity;
import com.helger.phase4.wss.EWSSVersion;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;

/** Keys and the PMode: one-way push, with the security of eDelivery AS4 1.15 unless told else. */
final class Terms {
  /** {@code {"keystore": PKCS#12 file, "password", "trust": folder of PEM or DER}}. */
  static IAS4CryptoFactory keys(JsonObject arguments) throws IOException, GeneralSecurityException {
    char[] password = Main.text(arguments, "password").toCharArray();
    var keys = KeyStore.getInstance("PKCS12");
    try (InputStream file = new FileInputStream(Main.text(arguments, "keystore"))) {
      keys.load(file, password);
    }
    var trust = KeyStore.getInstance("PKCS12");
    trust.load(null, null);
    for (File file : new File(Main.text(arguments, "trust")).listFiles()) {
      trust.setCertificateEntry(file.getName(), certificate(file.getPath()));
    }
    String alias = keys.aliases().nextElement();
    return new AS4CryptoFactoryInMemoryKeyStore(keys, alias, password, trust);
  }

  static X509Certificate certificate(String path) throws IOException, GeneralSecurityException {
    try (InputStream file = new FileInputStream(path)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(file);
    }
  }

  /**
   * {@code {"signature"?, "digest"?, "encryption"?}} by phase4's names, e.g. aes128-gcm. By the
   * PMode's service and action phase4 knows the test service.
   */
  static IPMode pmode(JsonObject arguments, String address, String service, String action) {
    var security = new PModeLegSecurity();
    security.setWSSVersion(EWSSVersion.WSS_111);
    security.setX509SignatureAlgorithm(
        ECryptoAlgorithmSign.getFromIDOrThrow(Main.text(arguments, "signature", "rsa-sha-256")));
    security.setX509SignatureHashFunction(
        ECryptoAlgorithmSignDigest.getFromIDOrThrow(
            Main.text(arguments, "digest", ECryptoAlgorithmSignDigest.DIGEST_SHA_256.getID())));
    security.setX509EncryptionAlgorithm(
        ECryptoAlgorithmCrypt.getFromIDOrThrow(Main.text(arguments, "encryption", "aes128-gcm")));
    security.setSendReceipt(true);
    security.setSendReceiptReplyPattern(EPModeSendReceiptReplyPattern.RESPONSE);
    security.setSendReceiptNonRepudiation(true);
    var errors = PModeLegErrorHandling.createUndefined();
    errors.setReportAsResponse(true);
    var leg =
        new PModeLeg(
            PModeLegProtocol.createForDefaultSoapVersion(address),
            PModeLegBusinessInformation.create(service, action, null, CAS4.DEFAULT_MPC_ID),
            errors,
            null,
            security);
    return new PMode(
        "emla",
        PModeParty.createSimple("any", CAS4.DEFAULT_INITIATOR_URL),
        PModeParty.createSimple("any", CAS4.DEFAULT_RESPONDER_URL),
        null,
        EMEP.ONE_WAY,
        EMEPBinding.PUSH,
        leg,
        null,
        null,
        null);
  }

  private Terms() {}
}
