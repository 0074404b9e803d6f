package emla.peer.phase4;

import com.google.gson.JsonObject;
import com.helger.collection.commons.CommonsArrayList;
import com.helger.http.header.HttpHeaderMap;
import com.helger.phase4.attachment.IAS4IncomingAttachmentFactory;
import com.helger.phase4.crypto.IAS4CryptoFactory;
import com.helger.phase4.incoming.AS4IncomingMessageMetadata;
import com.helger.phase4.incoming.AS4IncomingProfileSelectorConstant;
import com.helger.phase4.incoming.AS4IncomingReceiverConfiguration;
import com.helger.phase4.incoming.AS4RequestHandler;
import com.helger.phase4.incoming.crypto.AS4IncomingSecurityConfiguration;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Access points on loopback. {@code listen} takes {@code {"keystore", "password", "trust"}} and
 * gives a URL; {@code received} takes that URL and gives all that came there.
 */
final class Listening {
  private final Map<String, Endpoint> endpoints = new HashMap<>();

  Object start(JsonObject arguments) throws Exception {
    var endpoint = new Endpoint(Terms.keys(arguments), arguments);
    String url = endpoint.start();
    endpoints.put(url, endpoint);
    return Map.of("url", url);
  }

  Object received(JsonObject arguments) {
    return Map.of("messages", endpoints.get(Main.text(arguments, "url")).inbox.messages());
  }

  Object close(JsonObject arguments) throws Exception {
    endpoints.remove(Main.text(arguments, "url")).server.stop();
    return Map.of();
  }

  @SuppressWarnings("serial")
  private static final class Endpoint extends HttpServlet {
    private final IAS4CryptoFactory keys;
    private final JsonObject terms;
    private final Inbox inbox = new Inbox();
    private final Server server = new Server();

    Endpoint(IAS4CryptoFactory keys, JsonObject terms) {
      this.keys = keys;
      this.terms = terms;
    }

    String start() throws Exception {
      var connector = new ServerConnector(server);
      connector.setHost("127.0.0.1");
      server.addConnector(connector);
      var context = new ServletContextHandler("/");
      context.addServlet(new ServletHolder(this), "/as4");
      server.setHandler(context);
      server.start();
      return "http://127.0.0.1:" + connector.getLocalPort() + "/as4";
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
        throws ServletException, IOException {
      var headers = new HttpHeaderMap();
      for (String name : Collections.list(request.getHeaderNames())) {
        Collections.list(request.getHeaders(name)).forEach(value -> headers.addHeader(name, value));
      }
      var answer = new Response(response);
      try (var handler = new AS4RequestHandler(AS4IncomingMessageMetadata.createForRequest())) {
        handler
            .setCryptoFactory(keys)
            .setPModeResolver(
                (id, service, action, from, to, agreement, address) ->
                    Terms.pmode(terms, null, service, action))
            .setIncomingProfileSelector(new AS4IncomingProfileSelectorConstant(null))
            .setIncomingAttachmentFactory(IAS4IncomingAttachmentFactory.DEFAULT_INSTANCE)
            .setIncomingSecurityConfiguration(
                AS4IncomingSecurityConfiguration.createDefaultInstance())
            .setIncomingReceiverConfiguration(new AS4IncomingReceiverConfiguration())
            .setProcessorSupplier(() -> new CommonsArrayList<>(inbox));
        handler.handleRequest(request.getInputStream(), headers, answer);
        answer.send();
      } catch (IOException | RuntimeException problem) {
        throw problem;
      } catch (Exception problem) {
        problem.printStackTrace();
        response.sendError(400, problem.toString());
      }
    }
  }
}
