package emla.peer.phase4;

import com.helger.collection.commons.ICommonsList;
import com.helger.http.header.HttpHeaderMap;
import com.helger.phase4.attachment.WSS4JAttachment;
import com.helger.phase4.ebms3header.Ebms3PartInfo;
import com.helger.phase4.ebms3header.Ebms3Property;
import com.helger.phase4.ebms3header.Ebms3SignalMessage;
import com.helger.phase4.ebms3header.Ebms3UserMessage;
import com.helger.phase4.error.AS4ErrorList;
import com.helger.phase4.incoming.IAS4IncomingMessageMetadata;
import com.helger.phase4.incoming.IAS4IncomingMessageState;
import com.helger.phase4.incoming.spi.AS4MessageProcessorResult;
import com.helger.phase4.incoming.spi.AS4SignalMessageProcessorResult;
import com.helger.phase4.incoming.spi.IAS4IncomingMessageProcessorSPI;
import com.helger.phase4.model.pmode.IPMode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.w3c.dom.Node;

/** Keeps what it is told of each message: payloads only as size and digest. */
final class Inbox implements IAS4IncomingMessageProcessorSPI {
  private final List<Map<String, Object>> messages = new ArrayList<>();

  synchronized List<Map<String, Object>> messages() {
    return List.copyOf(messages);
  }

  @Override
  public AS4MessageProcessorResult processAS4UserMessage(
      IAS4IncomingMessageMetadata metadata,
      HttpHeaderMap headers,
      Ebms3UserMessage message,
      IPMode pmode,
      Node body,
      ICommonsList<WSS4JAttachment> attachments,
      IAS4IncomingMessageState state,
      AS4ErrorList errors) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("id", message.getMessageInfo().getMessageId());
    entry.put("from", message.getPartyInfo().getFrom().getPartyIdAtIndex(0).getValue());
    entry.put("to", message.getPartyInfo().getTo().getPartyIdAtIndex(0).getValue());
    entry.put("service", message.getCollaborationInfo().getService().getValue());
    entry.put("action", message.getCollaborationInfo().getAction());
    entry.put("conversation", message.getCollaborationInfo().getConversationId());
    entry.put(
        "properties",
        message.getMessageProperties() == null
            ? List.of()
            : properties(message.getMessageProperties().getProperty()));
    entry.put("signature_verified", state.isSoapSignatureChecked());
    entry.put("decrypted", state.isSoapDecrypted());
    List<Object> parts = new ArrayList<>();
    if (message.getPayloadInfo() != null) {
      for (Ebms3PartInfo part : message.getPayloadInfo().getPartInfo()) {
        parts.add(part(part, attachments));
      }
    }
    entry.put("payloads", parts);
    synchronized (this) {
      messages.add(entry);
    }
    return AS4MessageProcessorResult.createSuccess();
  }

  private static Map<String, Object> part(Ebms3PartInfo part, List<WSS4JAttachment> attachments) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("href", part.getHref());
    entry.put("properties", properties(part.getPartProperties().getProperty()));
    for (WSS4JAttachment attachment : attachments) {
      if (part.getHref().equals("cid:" + attachment.getId())) {
        entry.put("media_type", attachment.getMimeType());
        entry.put("compression", String.valueOf(attachment.getCompressionMode()));
        digest(attachment, entry);
      }
    }
    return entry;
  }

  private static void digest(WSS4JAttachment attachment, Map<String, Object> entry) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      try (InputStream content = new DigestInputStream(attachment.getSourceStream(), digest)) {
        entry.put("size", content.transferTo(OutputStream.nullOutputStream()));
      }
      entry.put("sha256", HexFormat.of().formatHex(digest.digest()));
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static List<Map<String, Object>> properties(List<Ebms3Property> properties) {
    List<Map<String, Object>> found = new ArrayList<>();
    for (Ebms3Property property : properties) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", property.getName());
      entry.put("value", property.getValue());
      entry.put("type", property.getType());
      found.add(entry);
    }
    return found;
  }

  @Override
  public AS4SignalMessageProcessorResult processAS4SignalMessage(
      IAS4IncomingMessageMetadata metadata,
      HttpHeaderMap headers,
      Ebms3SignalMessage signal,
      IPMode pmode,
      IAS4IncomingMessageState state,
      AS4ErrorList errors) {
    return AS4SignalMessageProcessorResult.createSuccess();
  }

  @Override
  public void processAS4ResponseMessage(
      IAS4IncomingMessageMetadata metadata,
      IAS4IncomingMessageState state,
      String responseId,
      byte[] response,
      boolean present,
      AS4ErrorList errors) {}
}
