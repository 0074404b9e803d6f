package emla.peer.phase4;

import com.google.gson.JsonObject;
import com.helger.httpclient.HttpClientSettings;
import com.helger.mime.parse.MimeTypeParser;
import com.helger.phase4.attachment.AS4OutgoingAttachment;
import com.helger.phase4.attachment.IAS4IncomingAttachmentFactory;
import com.helger.phase4.crypto.ECryptoKeyIdentifierType;
import com.helger.phase4.crypto.IAS4CryptoFactory;
import com.helger.phase4.crypto.ICryptoSessionKeyProvider;
import com.helger.phase4.ebms3header.Ebms3Error;
import com.helger.phase4.ebms3header.Ebms3SignalMessage;
import com.helger.phase4.incoming.AS4IncomingProfileSelectorConstant;
import com.helger.phase4.incoming.IAS4IncomingMessageState;
import com.helger.phase4.messaging.http.HttpRetrySettings;
import com.helger.phase4.model.MessageProperty;
import com.helger.phase4.model.pmode.IPMode;
import com.helger.phase4.sender.AS4Sender;
import com.helger.phase4.sender.EAS4UserMessageSendResult;
import com.helger.phase4.sender.IAS4SignalMessageValidationResultHandler;
import java.io.File;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code {"url", "keystore", "password", "trust", "receiver"?: certificate to encrypt for,
 * "signature"?, "digest"?, "encryption"?, "signer_named_by"?, "receiver_named_by"?, "whole_path"?,
 * "key_agreement"?: x25519 | ecdh-es (eDelivery AS4 2.0),
 * "message": {"id", "conversation", "from", "to", "party_type", "from_role", "to_role", "service",
 * "service_type", "action", "properties": [{"name", "value", "type"?}], "payloads": [{"file",
 * "content_id", "media_type", "compressed"}]}}} is answered with what came of it.
 */
final class Sending {
  static Object run(JsonObject arguments) throws Exception {
    IAS4CryptoFactory keys = Terms.keys(arguments);
    JsonObject message = arguments.getAsJsonObject("message");
    IPMode pmode =
        Terms.pmode(
            arguments,
            Main.text(arguments, "url"),
            Main.text(message, "service"),
            Main.text(message, "action"));
    var answer = new Answer();
    AS4Sender.BuilderUserMessage sender =
        AS4Sender.builderUserMessage()
            .httpClientFactory(new HttpClientSettings())
            .cryptoFactory(keys)
            .as4ProfileID("emla")
            .pmode(pmode)
            .pmodeResolver((id, service, action, from, to, agreement, address) -> pmode)
            .incomingProfileSelector(new AS4IncomingProfileSelectorConstant(null))
            .incomingAttachmentFactory(IAS4IncomingAttachmentFactory.DEFAULT_INSTANCE)
            .endpointURL(Main.text(arguments, "url"))
            .signalMsgConsumer((signal, metadata, state) -> answer.take(signal, state))
            .signalMsgValidationResultHdl(answer);
    var once = new HttpRetrySettings();
    once.setMaxRetries(0);
    sender.httpRetrySettings(once);
    if (arguments.has("receiver")) {
      sender.receiverCertificate(Terms.certificate(Main.text(arguments, "receiver")));
    } else {
      sender.cryptParams().setAlgorithmCrypt(null);
      pmode.getLeg1().getSecurity().disableEncryption();
    }
    choose(sender, arguments);
    describe(sender, message);
    EAS4UserMessageSendResult result =
        sender.sendMessageAndCheckForReceipt(problem -> answer.problem = problem.toString());
    return answer.with(result);
  }

  /** How keys are named and agreed on, where other than phase4 does by itself. */
  private static void choose(AS4Sender.BuilderUserMessage sender, JsonObject arguments) {
    if (arguments.has("signer_named_by")) {
      sender
          .signingParams()
          .setKeyIdentifierType(
              ECryptoKeyIdentifierType.getFromIDOrNull(Main.text(arguments, "signer_named_by")));
    }
    if (arguments.has("receiver_named_by")) {
      sender
          .cryptParams()
          .setKeyIdentifierType(
              ECryptoKeyIdentifierType.getFromIDOrNull(Main.text(arguments, "receiver_named_by")));
    }
    sender.signingParams().setUseSingleCertificate(!Main.flag(arguments, "whole_path", false));
    switch (Main.text(arguments, "key_agreement", "")) {
      case "x25519" -> sender.cryptParams().setEDelivery2KeyAgreementX25519();
      case "ecdh-es" -> sender.cryptParams().setEDelivery2KeyAgreementECDHES();
      default -> {}
    }
    if ("aes256-gcm".equals(Main.text(arguments, "encryption", ""))) {
      sender
          .cryptParams()
          .setSessionKeyProvider(ICryptoSessionKeyProvider.INSTANCE_RANDOM_AES_256);
    }
  }

  private static void describe(AS4Sender.BuilderUserMessage sender, JsonObject message) {
    sender
        .messageID(Main.text(message, "id"))
        .conversationID(Main.text(message, "conversation"))
        .fromPartyIDType(Main.text(message, "party_type"))
        .fromPartyID(Main.text(message, "from"))
        .fromRole(Main.text(message, "from_role"))
        .toPartyIDType(Main.text(message, "party_type"))
        .toPartyID(Main.text(message, "to"))
        .toRole(Main.text(message, "to_role"))
        .service(Main.text(message, "service_type", null), Main.text(message, "service"))
        .action(Main.text(message, "action"));
    for (JsonObject property : Main.objects(message, "properties")) {
      sender.addMessageProperty(
          MessageProperty.builder()
              .name(Main.text(property, "name"))
              .type(Main.text(property, "type", null))
              .value(Main.text(property, "value")));
    }
    for (JsonObject payload : Main.objects(message, "payloads")) {
      AS4OutgoingAttachment.Builder attachment =
          AS4OutgoingAttachment.builder()
              .data(new File(Main.text(payload, "file")))
              .contentID(Main.text(payload, "content_id"))
              .mimeType(MimeTypeParser.safeParseMimeType(Main.text(payload, "media_type")));
      if (Main.flag(payload, "compressed", true)) {
        attachment.compressionGZIP();
      }
      sender.addAttachment(attachment);
    }
  }

  /** What the partner answered, and what phase4 thinks of it. */
  private static final class Answer implements IAS4SignalMessageValidationResultHandler {
    private final Map<String, Object> said = new LinkedHashMap<>();
    private final List<String> mismatches = new ArrayList<>();
    private boolean confirmed;
    private String problem;

    void take(Ebms3SignalMessage signal, IAS4IncomingMessageState state) {
      List<Map<String, Object>> errors = new ArrayList<>();
      for (Ebms3Error error : signal.getError()) {
        Map<String, Object> each = new LinkedHashMap<>();
        each.put("code", error.getErrorCode());
        each.put("severity", error.getSeverity());
        each.put("description", error.getShortDescription());
        each.put("detail", error.getErrorDetail());
        errors.add(each);
      }
      said.put("ref_to", signal.getMessageInfo().getRefToMessageId());
      said.put("receipt", signal.getReceipt() != null);
      said.put("errors", errors);
      said.put("signature_verified", state.isSoapSignatureChecked());
      said.put(
          "signer",
          state.hasSigningCertificate()
              ? state.getSigningCertificate().getSubjectX500Principal().getName()
              : null);
    }

    Map<String, Object> with(EAS4UserMessageSendResult result) {
      said.put("result", result.getID());
      said.put("confirmed", confirmed && mismatches.isEmpty());
      said.put("mismatches", mismatches);
      said.put("problem", problem);
      return said;
    }

    @Override
    public void onSuccess() {
      confirmed = true;
    }

    @Override
    public void onError(String message) {
      mismatches.add(message);
    }

    @Override
    public void onNotApplicable() {
      confirmed = false;
    }
  }

  private Sending() {}
}
