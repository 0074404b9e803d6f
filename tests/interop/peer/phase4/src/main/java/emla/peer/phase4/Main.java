package emla.peer.phase4;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.helger.scope.mgr.ScopeManager;
import emla.peer.control.Control;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** phase4 as a peer: an access point that can {@code listen}, and {@code send}. */
public final class Main {
  public static void main(String[] arguments) throws Exception {
    // Before the JDK's own, whose streamed AES-GCM takes minutes for 100 MB.
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    ScopeManager.onGlobalBegin("emla");
    var listening = new Listening();
    new Control()
        .on("send", Sending::run)
        .on("listen", listening::start)
        .on("received", listening::received)
        .on("close", listening::close)
        .serve();
    System.exit(0);
  }

  static String text(JsonObject arguments, String name) {
    return arguments.get(name).getAsString();
  }

  static String text(JsonObject arguments, String name, String otherwise) {
    JsonElement given = arguments.get(name);
    return given == null || given.isJsonNull() ? otherwise : given.getAsString();
  }

  static boolean flag(JsonObject arguments, String name, boolean otherwise) {
    return arguments.has(name) ? arguments.get(name).getAsBoolean() : otherwise;
  }

  static List<JsonObject> objects(JsonObject arguments, String name) {
    List<JsonObject> found = new ArrayList<>();
    if (arguments.has(name)) {
      for (JsonElement each : arguments.getAsJsonArray(name)) {
        found.add(each.getAsJsonObject());
      }
    }
    return found;
  }

  private Main() {}
}
