internal import CTLS

/// What all connections have in common: certificate, key, authorities, shared keys. Never changes.
@safe final class TLSContext: @unchecked Sendable {
    // Safe: the handle is changed only during init, and libssl lets many threads make connections from one context.
    private let handle: Handle
    let sharedKeys: SharedKeys?
    let files: TLSFiles
    /// What whoever runs the server should know.
    let warnings: [String]

    private static let ciphers =
        "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:kECDHEPSK+CHACHA20:kDHEPSK+AESGCM:kPSK+AESGCM"

    private static let suitesForSharedKeys = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

    /// A server's, from files.
    init(_ material: TLSMaterial) throws(TLSFileFailure) {
        handle = unsafe Handle(TLS_server_method())
        let context = unsafe handle.context
        let isNamed = unsafe varve_tls_name_sessions(context) == 1
        precondition(isNamed)
        files = material.files
        var warnings: [String] = []
        if let certificate = material[.certificate], let key = material[.key] {
            warnings = try unsafe Self.load(certificate, key, into: context)
        }
        if let authorities = material[.clientAuthorities] {
            try unsafe Self.load(authorities: authorities, into: context)
        }
        self.warnings = warnings
        guard let (path, bytes) = material[.sharedKeys] else {
            sharedKeys = nil
            return
        }
        do throws(SharedKeys.BadLine) { sharedKeys = try SharedKeys(bytes) } catch {
            throw TLSFileFailure(part: .sharedKeys, path: path, reason: error.reason)
        }
        // In TLS 1.3 a shared key goes with SHA-256. Beside a certificate libssl would choose a suite with SHA-384 first,
        // pass the key over and ask for a certificate.
        let isSet = unsafe SSL_CTX_set_ciphersuites(context, Self.suitesForSharedKeys) == 1
        precondition(isSet, "libssl does not take our suites: \(OpenSSLError.takeLast())")
        unsafe SSL_CTX_set_psk_server_callback(context) { ssl, user, target, room in
            unsafe TLSEngine.answer(ssl, user, target, room)
        }
    }

    /// A client's, further set up by `body`: for tests.
    init(client body: (OpaquePointer) -> Void) {
        handle = unsafe Handle(TLS_client_method())
        (sharedKeys, files, warnings) = (nil, TLSFiles(), [])
        unsafe body(handle.context)
    }

    /// A connection's state, attached to a pipe. `self` must outlive it.
    func connect(_ pipe: UnsafeMutablePointer<varve_tls_pipe>) -> OpaquePointer {
        guard let ssl = unsafe SSL_new(handle.context), unsafe varve_tls_attach(ssl, handle.method, pipe) == 1 else {
            preconditionFailure("no memory for a TLS connection")
        }
        return unsafe ssl
    }

    /// What libssl allocates: freed with its owner, also when the owner's init fails because files are refused.
    @safe private final class Handle {
        // Safe: both are valid until deinit.
        let context: OpaquePointer
        let method: OpaquePointer

        init(_ kind: OpaquePointer?) {
            guard let context = unsafe SSL_CTX_new(kind), let method = unsafe varve_tls_pipe_method() else {
                preconditionFailure("libssl cannot make a context: \(OpenSSLError.takeLast())")
            }
            let isSettled = unsafe varve_tls_settle(context) == 1 && SSL_CTX_set_cipher_list(context, ciphers) == 1
            precondition(isSettled, "libssl does not take our settings: \(OpenSSLError.takeLast())")
            unsafe self.context = context
            unsafe self.method = method
        }

        deinit {
            unsafe SSL_CTX_free(context)
            unsafe BIO_meth_free(method)
        }
    }
}

/// libssl's queue of errors, one for each thread.
enum OpenSSLError {
    /// The words of the latest error; forgets all.
    static func takeLast() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return text(of: code)
    }

    /// The code of the earliest error, which names the cause; forgets all.
    static func takeFirst() -> UInt {
        let code = ERR_peek_error()
        ERR_clear_error()
        return code
    }

    static func text(of code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "no reason given" }
        return unsafe String(cString: text)
    }
}
