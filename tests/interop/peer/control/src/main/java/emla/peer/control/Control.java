package emla.peer.control;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One JSON object a line in, one out: {@code {"command": "validate", ...}} is answered with {@code
 * {"ok": {...}}} or {@code {"error": "..."}}. Ends when standard input does.
 */
public final class Control {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  /** What a command does. */
  @FunctionalInterface
  public interface Command {
    Object run(JsonObject arguments) throws Exception;
  }

  private final Map<String, Command> commands = new LinkedHashMap<>();
  // Libraries that print to System.out must not come between the answers.
  private final PrintStream answers =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  public Control() {
    System.setOut(System.err);
  }

  public Control on(String name, Command command) {
    commands.put(name, command);
    return this;
  }

  /** Serve until standard input ends. */
  public void serve() throws IOException {
    answer(Map.of("ok", Map.of("ready", commands.keySet())));
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      answer(result(line));
    }
  }

  private Map<String, Object> result(String line) {
    try {
      JsonObject arguments = JsonParser.parseString(line).getAsJsonObject();
      String name = arguments.get("command").getAsString();
      Command command = commands.get(name);
      if (command == null) {
        return Map.of("error", "no command " + name + "; there are " + commands.keySet());
      }
      return Map.of("ok", command.run(arguments));
    } catch (Exception | LinkageError problem) {
      problem.printStackTrace();
      return Map.of("error", problem.toString());
    }
  }

  private void answer(Map<String, Object> object) {
    answers.println(GSON.toJson(object));
  }
}
