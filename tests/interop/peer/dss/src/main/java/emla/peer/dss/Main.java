package emla.peer.dss;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import emla.peer.control.Control;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.DSSSecurityProvider;
import java.io.IOException;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;

/**
 * EU DSS as a peer: {@code validate} what others have signed, {@code sign} for others, {@code
 * extend} a signature to a higher level, {@code countersign} it.
 */
public final class Main {
  public static void main(String[] arguments) throws IOException {
    // Before the JDK's own, for the Brainpool curves, which that no longer knows.
    Security.insertProviderAt(DSSSecurityProvider.getSecurityProvider(), 1);
    new Control()
        .on("validate", Validation::run)
        .on("sign", Signing::sign)
        .on("extend", Signing::extend)
        .on("countersign", Signing::countersign)
        .serve();
  }

  static String text(JsonObject arguments, String name) {
    return arguments.get(name).getAsString();
  }

  static String text(JsonObject arguments, String name, String otherwise) {
    JsonElement given = arguments.get(name);
    return given == null || given.isJsonNull() ? otherwise : given.getAsString();
  }

  /** The files of a list of paths; none if there is no such list. */
  static List<DSSDocument> documents(JsonObject arguments, String name) {
    List<DSSDocument> found = new ArrayList<>();
    if (arguments.has(name)) {
      for (JsonElement file : arguments.getAsJsonArray(name)) {
        found.add(new FileDocument(file.getAsString()));
      }
    }
    return found;
  }

  private Main() {}
}
