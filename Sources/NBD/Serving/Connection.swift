internal import Blocks

/// The life of one connection, on its own thread: negotiation, then transmission.
struct Connection {
    let session: Session
    let registry: SessionRegistry
    let exports: any ExportTable

    /// Runs until either side ends it. Nothing of the session is in use any more when it returns.
    func run() {
        do throws(StreamFailure) {
            guard let (agreement, rest) = try negotiate() else { return session.stream.shutdown() }
            registry.settle(agreement.export.name, for: session)
            (session.stream as? SocketStream)?.limitWaiting(to: nil)
            var transmission = Transmission(session, agreement, rest)
            transmission.run()
        } catch {}
        session.stream.shutdown()
    }

    /// How long a client may take for its next option.
    static let patience = Duration.seconds(30)

    private func negotiate() throws(StreamFailure) -> (Agreement, rest: [UInt8])? {
        (session.stream as? SocketStream)?.limitWaiting(to: Self.patience)
        var negotiation = Negotiation(lookUp: find, listing: exports.listing)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let replies = negotiation.takeReplies()
            if !replies.isEmpty {
                try replies.readBytes { (bytes) throws(StreamFailure) in try session.stream.send(bytes) }
            }
            let received = try buffer.writeBytes { (bytes) throws(StreamFailure) in
                var none = MutableRawSpan()
                return try session.stream.receive(into: &bytes, then: &none, wait: true)
            }
            guard case .bytes(let count) = received, !session.isStopping else { return nil }
            switch negotiation.receive(buffer[..<count]) {
            case .awaitMore: continue
            case .transmission(let agreement):
                try sendLast(&negotiation)
                return (agreement, negotiation.takeRest())
            case .close:
                try sendLast(&negotiation)
                return nil
            }
        }
    }

    private func sendLast(_ negotiation: inout Negotiation) throws(StreamFailure) {
        let replies = negotiation.takeReplies()
        guard !replies.isEmpty else { return }
        try replies.readBytes { (bytes) throws(StreamFailure) in try session.stream.send(bytes) }
    }

    /// Claims, then looks up; once more under the export's own name when it was asked for by another.
    private func find(_ name: String) -> Export? {
        registry.claim(name, for: session)
        guard let export = exports.export(named: name), export.name != name else {
            return exports.export(named: name)
        }
        registry.claim(export.name, for: session)
        return exports.export(named: export.name)
    }
}
