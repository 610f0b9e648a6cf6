public import Blocks

/// TLS for a server's connections, from files that may be replaced while it runs.
///
/// Before a handshake, at most once a second, the files are read again. New ones count from then on for new connections;
/// if they cannot be used, the old ones go on, which is reported once. So certificate and key need not be replaced in
/// the same instant.
public final class TLSSecurity: StreamSecurity {
    private struct State {
        var material: TLSMaterial
        var context: TLSContext
        var lastLook: Duration
        var complaint: String?
    }

    private let files: TLSFiles
    private let state: Guarded<State>
    private let clock = SystemClock()
    private let lookInterval: Duration
    private let report: @Sendable (String) -> Void

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - lookInterval: how long the files are taken for unchanged.
    ///   - report: told when they changed, on the threads of connections.
    public init(
        _ files: TLSFiles, lookInterval: Duration = .seconds(1), report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(TLSFileFailure) {
        self.files = files
        self.lookInterval = lookInterval
        self.report = report
        let material = try TLSMaterial(reading: files)
        let context = try TLSContext(material)
        state = Guarded(State(material: material, context: context, lastLook: clock.uptime()))
    }

    /// What whoever runs the server should know of the files, such as that the certificate has expired.
    public var warnings: [String] { state.withLock { $0.context.warnings } }

    /// The server's side of a handshake.
    public func secure(
        _ stream: any ByteStream, within limit: Duration
    ) throws(SecurityFailure) -> any ByteStream {
        let engine = TLSEngine(current())
        let deadline = clock.uptime() + limit
        func allow() throws(SecurityFailure) {
            let left = deadline - clock.uptime()
            guard left > .zero else { throw Self.tooSlow(limit) }
            stream.limitWaiting(to: max(left, .milliseconds(1)))
        }
        while true {
            let outcome = engine.handshake()
            try allow()
            do throws(StreamFailure) { try engine.flush(to: stream) } catch {
                if outcome != .failed { throw Self.lost(error, limit) }
            }
            switch outcome {
            case .moved: return TLSStream(engine, over: stream)
            case .mustSend: continue
            case .failed, .ended: throw SecurityFailure(Advice.on(engine))
            case .needsInput: break
            }
            let received: Received
            do throws(StreamFailure) { received = try engine.fill(from: stream, wait: true) } catch {
                throw Self.lost(error, limit)
            }
            if received == .end { throw Self.lost(.closed, limit) }
        }
    }

    private static func tooSlow(_ limit: Duration) -> SecurityFailure {
        SecurityFailure("it was not done within \(limit): is the network slow, or the client no TLS client?")
    }

    private static func lost(_ failure: StreamFailure, _ limit: Duration) -> SecurityFailure {
        switch failure {
        case .timedOut: tooSlow(limit)
        case .closed:
            SecurityFailure(
                "the client hung up, often because it does not accept our certificate or has none itself; "
                    + "its own message tells")
        case .io(let errno): SecurityFailure(ErrnoText.of(errno))
        }
    }

    /// What is in the files now, or was when they could last be used.
    private func current() -> TLSContext {
        let (context, news) = state.withLock { state -> (TLSContext, String?) in
            let now = clock.uptime()
            guard now - state.lastLook >= lookInterval else { return (state.context, nil) }
            state.lastLook = now
            do throws(TLSFileFailure) {
                let material = try TLSMaterial(reading: files)
                guard material != state.material else {
                    state.complaint = nil
                    return (state.context, nil)
                }
                state.context = try TLSContext(material)
                state.material = material
                state.complaint = nil
                return (state.context, "took the TLS files that were replaced")
            } catch {
                let complaint = "goes on with the TLS files of before: \(error)"
                guard complaint != state.complaint else { return (state.context, nil) }
                state.complaint = complaint
                return (state.context, complaint)
            }
        }
        if let news {
            report(news)
            for warning in context.warnings { report(warning) }
        }
        return context
    }
}
