package emla.peer.phase4;

import com.helger.base.io.iface.IHasInputStream;
import com.helger.http.header.HttpHeaderMap;
import com.helger.mime.IMimeType;
import com.helger.phase4.incoming.IAS4ResponseAbstraction;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.util.function.Supplier;

/** What phase4 wants to answer, until it is sent. */
final class Response implements IAS4ResponseAbstraction {
  private final HttpServletResponse response;
  private Supplier<InputStream> content = InputStream::nullInputStream;

  Response(HttpServletResponse response) {
    this.response = response;
  }

  void send() throws IOException {
    try (InputStream stream = content.get()) {
      stream.transferTo(response.getOutputStream());
    }
  }

  @Override
  public void setContent(byte[] bytes, Charset charset) {
    response.setCharacterEncoding(charset.name());
    content = () -> new ByteArrayInputStream(bytes);
  }

  @Override
  public void setContent(HttpHeaderMap headers, IHasInputStream source) {
    headers.forEachSingleHeader(response::setHeader, true);
    content = source::getInputStream;
  }

  @Override
  public void setMimeType(IMimeType type) {
    response.setContentType(type.getAsString());
  }

  @Override
  public void setStatus(int code) {
    response.setStatus(code);
  }
}
