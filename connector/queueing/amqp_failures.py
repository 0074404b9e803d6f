"""What pika's exceptions mean for a person."""

from __future__ import annotations

import pika.exceptions

from connector.errors import ConnectorError, misconfigured, transient

_NO_ENTRY = (
    pika.exceptions.ProbableAuthenticationError,
    pika.exceptions.ProbableAccessDeniedError,
)
_PRECONDITION_FAILED = 406
_SIGN_IN = (403, 530)


def bad_url() -> ConnectorError:
    """The URL is none."""
    return misconfigured(
        "queue.url",
        "The queue's URL cannot be read.",
        mend="Write amqp://user:password@host:5672/vhost; escape signs in the password.",
    )


def failure(error: BaseException) -> ConnectorError:
    """Why a connection or channel is gone, as an error of ours."""
    error = _cause(error)
    if isinstance(error, ConnectorError):
        return error
    code = getattr(error, "reply_code", None)
    if isinstance(error, _NO_ENTRY) or code in _SIGN_IN:
        return misconfigured(
            "queue.refused",
            f"RabbitMQ refuses the connector: {error}",
            mend="Check the user, password, virtual host and rights in the queue's URL.",
        )
    if code == _PRECONDITION_FAILED:
        return misconfigured(
            "queue.mismatch",
            f"RabbitMQ has a queue of that name, but made otherwise: {error}",
            mend="Choose another prefix, or delete the queue when it is empty.",
        )
    return transient(
        "queue.down",
        f"RabbitMQ cannot be used at the moment: {str(error) or type(error).__name__}",
        mend="Check that it runs; the connector tries again by itself.",
    )


def no_answer(seconds: float) -> ConnectorError:
    """The broker is there, but silent."""
    return transient(
        "queue.down",
        f"RabbitMQ did not answer within {seconds:.0f} s.",
        mend="Look at its alarms (memory, disk) and its log.",
    )


def _cause(error: BaseException) -> BaseException:
    # pika wraps what went wrong while connecting, in layers.
    inner = getattr(error, "exceptions", None) or getattr(error, "exception", None)
    if isinstance(inner, list | tuple):
        inner = inner[-1]
    if inner is None and isinstance(error, pika.exceptions.AMQPConnectionError):
        inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
    return _cause(inner) if isinstance(inner, BaseException) else error
