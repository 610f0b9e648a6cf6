internal import CTLS

// PEM files, taken apart.
extension TLSContext {
    /// Takes the server's certificate with its chain, and its key. Returns warnings.
    static func load(
        _ certificate: (path: String, bytes: [UInt8]), _ key: (path: String, bytes: [UInt8]),
        into context: OpaquePointer
    ) throws(TLSFileFailure) -> [String] {
        var warnings: [String] = []
        try unsafe eachCertificate(certificate, .certificate) { (index, found) throws(TLSFileFailure) in
            guard index == 0 else {
                guard unsafe varve_tls_add_chain(context, found) == 1 else {
                    throw TLSFileFailure(
                        part: .certificate, path: certificate.path,
                        reason: "has a certificate that cannot be used: \(OpenSSLError.takeLast())")
                }
                return
            }
            guard unsafe SSL_CTX_use_certificate(context, found) == 1 else {
                throw TLSFileFailure(
                    part: .certificate, path: certificate.path,
                    reason: "holds a certificate that cannot be used: \(OpenSSLError.takeLast())")
            }
            if unsafe varve_tls_is_past(X509_get0_notAfter(found)) != 0 {
                warnings.append("\(certificate.path): the certificate has expired: clients will refuse it")
            }
            if unsafe varve_tls_is_past(X509_get0_notBefore(found)) == 0 {
                warnings.append(
                    "\(certificate.path): the certificate is not valid yet: clients will refuse it; "
                        + "is the clock right?")
            }
        }
        try unsafe load(key: key, of: certificate.path, into: context)
        return warnings
    }

    private static func load(
        key: (path: String, bytes: [UInt8]), of certificate: String, into context: OpaquePointer
    ) throws(TLSFileFailure) {
        func failure(_ reason: String) -> TLSFileFailure { TLSFileFailure(part: .key, path: key.path, reason: reason) }
        let found = unsafe withPEM(key.bytes) { bio in
            unsafe PEM_read_bio_PrivateKey(bio, nil, varve_tls_no_passphrase, nil)
        }
        guard let found = unsafe found else {
            let reason = OpenSSLError.takeLast()
            let text = String(decoding: key.bytes.prefix(4096), as: UTF8.self)
            if text.contains("ENCRYPTED") {
                throw failure("is locked with a passphrase: store the key without one, readable by the server only")
            }
            throw failure("holds no private key in PEM form (\(reason))")
        }
        defer { unsafe EVP_PKEY_free(found) }
        guard unsafe SSL_CTX_use_PrivateKey(context, found) == 1, unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw failure("does not belong to the certificate \(certificate) (\(OpenSSLError.takeLast()))")
        }
    }

    /// Takes the authorities of clients, and demands a certificate of theirs.
    static func load(
        authorities: (path: String, bytes: [UInt8]), into context: OpaquePointer
    ) throws(TLSFileFailure) {
        try unsafe eachCertificate(authorities, .clientAuthorities) { (_, found) throws(TLSFileFailure) in
            let isTaken =
                unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), found) == 1
                && SSL_CTX_add_client_CA(context, found) == 1
            guard isTaken else {
                throw TLSFileFailure(
                    part: .clientAuthorities, path: authorities.path,
                    reason: "has a certificate that cannot be used: \(OpenSSLError.takeLast())")
            }
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// Every certificate of a file, of which there must be one.
    private static func eachCertificate(
        _ file: (path: String, bytes: [UInt8]), _ part: TLSFiles.Part,
        _ body: (Int, OpaquePointer) throws(TLSFileFailure) -> Void
    ) throws(TLSFileFailure) {
        var all: [OpaquePointer] = unsafe []
        defer { while let one = unsafe all.popLast() { unsafe X509_free(one) } }
        unsafe withPEM(file.bytes) { bio in
            while let one = unsafe PEM_read_bio_X509(bio, nil, varve_tls_no_passphrase, nil) { unsafe all.append(one) }
        }
        let reason = OpenSSLError.takeLast()
        guard unsafe !all.isEmpty else {
            throw TLSFileFailure(part: part, path: file.path, reason: "holds no certificate in PEM form (\(reason))")
        }
        for index in unsafe all.indices { try unsafe body(index, all[index]) }
    }

    private static func withPEM<R>(_ bytes: [UInt8], _ body: (OpaquePointer?) -> R) -> R {
        unsafe bytes.withUnsafeBytes { all in
            let bio = unsafe BIO_new_mem_buf(all.baseAddress, Int32(all.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }
}
