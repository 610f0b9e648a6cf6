internal import CTLS

/// Why a handshake failed, in words for whoever runs the server.
enum Advice {
    static func on(_ engine: TLSEngine) -> String {
        let files = engine.files
        let reason = Int(varve_tls_reason(engine.failure))
        let words = OpenSSLError.text(of: engine.failure)
        if let user = engine.unknownUser {
            return "the user '\(plain(user))' is not in \(files.sharedKeys ?? "the file of shared keys"): add a line "
                + "for it, or correct the client's user name"
        }
        guard varve_tls_is_of_ssl(engine.failure) != 0 else { return words }
        switch Int32(reason) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return certificate(engine)
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return "the client sent no certificate: give it one signed by an authority in "
                + (files.clientAuthorities ?? "the clients' authorities")
                + " (many clients send none rather than one of another authority)"
        case SSL_R_BINDER_DOES_NOT_VERIFY, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DIGEST_CHECK_FAILED:
            guard let path = files.sharedKeys else { return "\(words): something changed the bytes on their way" }
            return "the client's shared key is not the one in \(path): give both the same"
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
            SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
            SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
            return "the client does not accept our certificate (\(words)): see that it knows the authority that "
                + "signed \(files.certificate ?? "it"), and that the certificate is valid and names this host"
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            return "the client speaks nothing as new as TLS 1.2: use a newer one"
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SUITABLE_KEY_SHARE,
            SSL_R_NO_CERTIFICATE_SET, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            return "client and server have nothing in common (\(words)): \(offer(files))"
        case 1000...: return "the client broke off (\(words))"
        default: return "what came is no TLS that we know (\(words))"
        }
    }

    private static func certificate(_ engine: TLSEngine) -> String {
        let verdict = engine.verdictOnCertificate
        let authorities = engine.files.clientAuthorities ?? "the clients' authorities"
        switch Int32(verdict) {
        case X509_V_ERR_CERT_HAS_EXPIRED: return "the client's certificate has expired: give it a new one"
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "the client's certificate is not valid yet: is the clock right, here and where it was made?"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return "the client's certificate is signed by none of the authorities in \(authorities): give it one "
                + "that is, or add its authority"
        default:
            let words = unsafe String(cString: X509_verify_cert_error_string(verdict))
            return "the client's certificate is not accepted (\(words))"
        }
    }

    private static func offer(_ files: TLSFiles) -> String {
        switch (files.certificate != nil, files.sharedKeys != nil) {
        case (true, true): "clients must use a certificate or a shared key"
        case (false, true): "clients must use a shared key; there is no certificate here"
        default: "clients must use X.509 certificates; there are no shared keys here"
        }
    }

    /// What a stranger wrote, fit for a log.
    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.prefix(64).map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
    }
}
