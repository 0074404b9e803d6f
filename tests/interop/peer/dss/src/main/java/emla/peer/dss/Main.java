package emla.peer.dss;

import com.google.gson.JsonObject;
import emla.peer.control.Control;
import java.io.IOException;

/** EU DSS as a peer: {@code validate} what others have signed, {@code sign} for others. */
public final class Main {
  public static void main(String[] arguments) throws IOException {
    new Control().on("validate", Validation::run).on("sign", Signing::run).serve();
  }

  static String text(JsonObject arguments, String name) {
    return arguments.get(name).getAsString();
  }

  private Main() {}
}
