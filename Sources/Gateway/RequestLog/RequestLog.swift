internal import HTTPTypes
internal import Logging
internal import RequestSigning

/// One line per request: who, what, outcome, how long; and for a failure of ours what the client may not read.
struct RequestLog: Sendable {
    let logger: Logger

    func note(_ head: HTTPRequest, _ answer: Answer, caller: String?, taking time: Duration) {
        let level: Logger.Level = answer.status >= 500 ? .error : isChatter(head) ? .debug : .info
        guard level >= logger.logLevel else { return }
        let milliseconds = time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
        var line = "\(head.method.rawValue) \(printable(PresignedURL.withoutSignature(head.path ?? "/")))"
        if let action = answer.action { line += " \(action)" }
        line += " \(answer.status) \(milliseconds) ms"
        if let caller { line += " by \(caller)" }
        if let id = answer.requestID { line += " request \(id)" }
        if let logged = answer.logged { line += ": \(printable(logged))" }
        logger.log(level: level, "\(line)")
    }

    /// Probes, polls and parts of imports: many of them, and nobody asks about one.
    private func isChatter(_ head: HTTPRequest) -> Bool {
        let path = head.path ?? "/"
        return head.method == .get || (head.method == .put && path.hasPrefix("/api/v1/imports/"))
    }

    /// No control characters, so that a request cannot write lines of its own.
    private func printable(_ text: String) -> String {
        String(text.prefix(2000).map { $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? "?" : $0 })
    }
}
