internal import Blocks

/// The life of one connection, on its own thread: negotiation, then transmission.
struct Connection {
    let session: Session
    let registry: SessionRegistry
    let exports: any ExportTable
    let tls: TLSOffer?
    /// Who it is, asked for while the connection stands: afterwards the system does not know any more.
    let peer: String
    /// Told what whoever runs the server should know of.
    let report: @Sendable (String) -> Void

    /// Runs until either side ends it. Nothing of the session is in use any more when it returns.
    func run() {
        var stream = session.stream
        do throws(StreamFailure) {
            if let (agreement, rest) = try negotiate(over: &stream) {
                registry.settle(agreement.export.name, for: session)
                stream.limitWaiting(to: nil)
                var transmission = Transmission(session, stream, agreement, rest)
                transmission.run()
            }
        } catch {}
        stream.endSending()
        session.stream.shutdown()
    }

    /// How long a client may take for its next option.
    static let patience = Duration.seconds(30)

    /// Answers options until the client has chosen an export. `stream` becomes the secure one if it asks for that.
    private func negotiate(over stream: inout any ByteStream) throws(StreamFailure) -> (Agreement, rest: [UInt8])? {
        stream.limitWaiting(to: Self.patience)
        var negotiation = Negotiation(lookUp: find, listing: exports.listing, encryption: encryption)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try Self.send(negotiation.takeReplies(), to: stream)
            let plain = stream
            let received = try buffer.writeBytes { (bytes) throws(StreamFailure) in
                var none = MutableRawSpan()
                return try plain.receive(into: &bytes, then: &none, wait: true)
            }
            guard case .bytes(let count) = received, !session.isStopping else { return nil }
            let step = negotiation.receive(buffer[..<count])
            try Self.send(negotiation.takeReplies(), to: stream)
            switch step {
            case .awaitMore: continue
            case .secure:
                guard let secured = secured(stream) else { return nil }
                stream = secured
                negotiation.secured()
            case .transmission(let agreement): return (agreement, negotiation.takeRest())
            case .close:
                if let complaint = negotiation.complaint { report("\(peer): \(complaint)") }
                return nil
            }
        }
    }

    private static func send(_ replies: [UInt8], to stream: any ByteStream) throws(StreamFailure) {
        guard !replies.isEmpty else { return }
        try replies.readBytes { (bytes) throws(StreamFailure) in try stream.send(bytes) }
    }

    private var encryption: Negotiation.Encryption {
        guard let tls else { return .off }
        return tls.isRequired ? .required : .offered
    }

    /// The stream after a handshake; nil, with the reason reported, when that failed.
    private func secured(_ stream: any ByteStream) -> (any ByteStream)? {
        guard let tls else { return nil }
        do throws(SecurityFailure) {
            let secured = try tls.security.secure(stream, within: tls.handshakeLimit)
            secured.limitWaiting(to: Self.patience)
            return secured
        } catch {
            if !session.isStopping { report("\(peer): the TLS handshake failed: \(error)") }
            return nil
        }
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
