internal import Blocks
internal import CTLS

/// One TLS connection with no socket in it: bytes that arrived go in, bytes to be sent come out.
///
/// For one thread at a time. Whatever a stranger sends ends at worst in ``Outcome/failed``; what is kept of it is bounded by
/// the two buffers and libssl's one record.
@safe final class TLSEngine {
    /// What a step came to.
    enum Outcome: Equatable {
        /// So many bytes of content; for a handshake, that it is done.
        case moved(Int)
        /// More must arrive first.
        case needsInput
        /// What is there to be sent must go first.
        case mustSend
        /// The other side said that it sends no more.
        case ended
        /// Something came that is no TLS, or was changed on its way, or is not acceptable: see ``failure``.
        case failed
    }

    private let context: TLSContext
    private let ssl: OpaquePointer
    private let pipe: UnsafeMutablePointer<varve_tls_pipe>
    /// libssl's code for why it failed.
    private(set) var failure: UInt = 0
    private(set) var isBroken = false
    /// The user that was asked for and has no shared key.
    private(set) var unknownUser: String?

    /// What is received at once, and what is gathered before it is sent.
    static let batch = 256 << 10
    private static let outgoingRoom = batch + (64 << 10)

    init(_ context: TLSContext, isServer: Bool = true) {
        self.context = context
        unsafe pipe = .allocate(capacity: 1)
        unsafe pipe.initialize(
            to: varve_tls_pipe(
                incoming: .allocate(capacity: Self.batch), incoming_start: 0, incoming_end: 0,
                outgoing: .allocate(capacity: Self.outgoingRoom), outgoing_count: 0, outgoing_room: Self.outgoingRoom))
        unsafe ssl = context.connect(pipe)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        if isServer { unsafe SSL_set_accept_state(ssl) } else { unsafe SSL_set_connect_state(ssl) }
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe pipe.pointee.incoming.deallocate()
        unsafe pipe.pointee.outgoing.deallocate()
        unsafe pipe.deallocate()
    }

    // MARK: Steps

    /// Goes on with the handshake.
    func handshake() -> Outcome {
        outcome {
            unsafe SSL_do_handshake(ssl) == 1 ? 1 : 0
        } moved: {
            0
        }
    }

    /// Decrypts into `target` from `position`.
    func read(into target: inout MutableRawSpan, from position: Int) -> Outcome {
        unsafe target.withUnsafeMutableBytes { all in
            var moved = 0
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: all[position...])
            return outcome {
                unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &moved)
            } moved: {
                moved
            }
        }
    }

    /// Encrypts what `source` has from `position`, at most one record of it.
    func write(_ source: RawSpan, from position: Int) -> Outcome {
        unsafe source.withUnsafeBytes { all in
            var moved = 0
            let rest = unsafe UnsafeRawBufferPointer(rebasing: all[position...])
            return outcome {
                unsafe SSL_write_ex(ssl, rest.baseAddress, rest.count, &moved)
            } moved: {
                moved
            }
        }
    }

    /// Says that nothing more will be sent.
    func end() {
        guard !isBroken, unsafe SSL_is_init_finished(ssl) == 1 else { return }
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func outcome(_ step: () -> Int32, moved: () -> Int) -> Outcome {
        guard !isBroken else { return .failed }
        ERR_clear_error()
        let status = step()
        switch unsafe SSL_get_error(ssl, status) {
        case SSL_ERROR_NONE: return .moved(moved())
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_WANT_WRITE: return .mustSend
        case SSL_ERROR_ZERO_RETURN: return .ended
        default:
            failure = OpenSSLError.takeFirst()
            isBroken = true
            return .failed
        }
    }

    // MARK: Bytes in and out

    /// Is there content, or what may hold some, that did not arrive just now?
    var mayHaveContent: Bool {
        unsafe SSL_pending(ssl) > 0 || pipe.pointee.incoming_start < pipe.pointee.incoming_end
    }

    /// Receives what has arrived. Only when a step said ``Outcome/needsInput``.
    func fill(from stream: any ByteStream, wait: Bool) throws(StreamFailure) -> Received {
        precondition(unsafe pipe.pointee.incoming_start == pipe.pointee.incoming_end, "libssl left something")
        unsafe (pipe.pointee.incoming_start, pipe.pointee.incoming_end) = (0, 0)
        let room = unsafe UnsafeMutableRawBufferPointer(start: pipe.pointee.incoming, count: Self.batch)
        var span = unsafe MutableRawSpan(_unsafeBytes: room)
        var none = MutableRawSpan()
        let received = try stream.receive(into: &span, then: &none, wait: wait)
        if case .bytes(let count) = received { unsafe pipe.pointee.incoming_end = count }
        return received
    }

    /// How much is to be sent.
    var outgoingCount: Int { unsafe pipe.pointee.outgoing_count }

    /// Sends what is to be sent.
    func flush(to stream: any ByteStream) throws(StreamFailure) {
        guard outgoingCount > 0 else { return }
        let bytes = unsafe UnsafeRawBufferPointer(start: pipe.pointee.outgoing, count: outgoingCount)
        unsafe pipe.pointee.outgoing_count = 0
        do throws(StreamFailure) { try unsafe stream.send(RawSpan(_unsafeBytes: bytes)) } catch {
            // Part of a record may have gone: nothing can follow it.
            isBroken = true
            throw error
        }
    }

    // MARK: Shared keys

    /// libssl asks for a user's key: writes it to `target` and returns its length, 0 if there is none.
    static func answer(
        _ ssl: OpaquePointer?, _ user: UnsafePointer<CChar>?, _ target: UnsafeMutablePointer<UInt8>?, _ room: UInt32
    ) -> UInt32 {
        guard let mark = unsafe SSL_get_ex_data(ssl, 0), let user = unsafe user, let target = unsafe target else {
            return 0
        }
        let engine = unsafe Unmanaged<TLSEngine>.fromOpaque(mark).takeUnretainedValue()
        let name = unsafe String(cString: user)
        guard let key = engine.context.sharedKeys?.key(of: Array(name.utf8)), key.count <= Int(room) else {
            engine.unknownUser = name
            return 0
        }
        for (index, byte) in key.enumerated() { unsafe target[index] = byte }
        return UInt32(key.count)
    }

    /// What libssl found wrong with the other side's certificate; 0 for nothing.
    var verdictOnCertificate: Int { unsafe SSL_get_verify_result(ssl) }
    /// "TLSv1.3".
    var version: String { unsafe String(cString: SSL_get_version(ssl)) }
    var files: TLSFiles { context.files }
}
