internal import ArgumentParser
internal import NBD
internal import TLS

/// Whether connections over TCP are encrypted.
enum TLSPolicy: String, ExpressibleByArgument, CaseIterable {
    case require, allow, off
}

/// `varve serve`'s options for disks over TCP.
struct NetworkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Offer disks over TCP too: tcp://HOST:PORT.", valueName: "address"))
    var nbdListen: String?
    @Flag(help: "Allow disks over TCP beyond this machine unencrypted, or to clients that need prove nothing.")
    var insecure = false
    @Option(
        name: .customLong("nbd-tls"),
        help: ArgumentHelp(
            "TLS over TCP: require, allow or off; by default require if there is a certificate or a shared key.",
            valueName: "policy"))
    var policy: TLSPolicy?
    @Option(
        name: .customLong("nbd-tls-cert"),
        help: ArgumentHelp("The server's certificate and those that lead to its authority, in PEM.", valueName: "file"))
    var certificate: String?
    @Option(
        name: .customLong("nbd-tls-key"),
        help: ArgumentHelp("The certificate's key, in PEM without a passphrase.", valueName: "file"))
    var key: String?
    @Option(
        name: .customLong("nbd-tls-client-ca"),
        help: ArgumentHelp("Let in only clients with a certificate of these authorities, in PEM.", valueName: "file"))
    var clientAuthorities: String?
    @Option(
        name: .customLong("nbd-tls-psk"),
        help: ArgumentHelp("Keys shared with clients, as lines user:hexadecimal key.", valueName: "file"))
    var sharedKeys: String?

    /// What the options come to; nil when disks are not offered over TCP. Reads the files.
    ///
    /// - Parameter report: told, later, when the files changed.
    func door(report: @escaping @Sendable (String) -> Void) throws -> NetworkDoor? {
        guard let nbdListen else {
            if let option = firstTLSOption {
                throw CommandFailure.usage("\(option) is for disks over TCP: give --nbd-listen tcp://HOST:PORT too")
            }
            return nil
        }
        guard nbdListen.hasPrefix("tcp://") else {
            throw CommandFailure.usage("--nbd-listen '\(nbdListen)' is not of the form tcp://HOST:PORT")
        }
        let address = try Places.hostAndPort(String(nbdListen.dropFirst("tcp://".count)))
        let policy = try checkedPolicy()
        try checkReach(of: address.host, policy)
        var door = NetworkDoor(host: address.host, port: UInt16(address.port))
        if policy != .off {
            let security = try load(report)
            door.warnings = security.warnings
            door.tls = TLSOffer(security: security, isRequired: policy == .require)
        }
        if policy == .require, !files.authenticatesClients {
            door.warnings.append(
                "disks over TCP are open to whoever reaches \(nbdListen): --nbd-tls-client-ca FILE or "
                    + "--nbd-tls-psk FILE lets in only those who can prove who they are")
        }
        return door
    }

    private var files: TLSFiles {
        TLSFiles(
            certificate: certificate.map(Places.absolute), key: key.map(Places.absolute),
            clientAuthorities: clientAuthorities.map(Places.absolute), sharedKeys: sharedKeys.map(Places.absolute))
    }

    private var firstTLSOption: String? {
        if policy != nil { return "--nbd-tls" }
        return TLSFiles.Part.allCases.first { value(of: $0) != nil }.map(\.option)
    }

    private func value(of part: TLSFiles.Part) -> String? {
        switch part {
        case .certificate: certificate
        case .key: key
        case .clientAuthorities: clientAuthorities
        case .sharedKeys: sharedKeys
        }
    }

    /// The policy, once the files fit together.
    private func checkedPolicy() throws -> TLSPolicy {
        if (certificate == nil) != (key == nil) {
            let (given, missing) = certificate == nil ? ("key", "cert") : ("cert", "key")
            throw CommandFailure.usage("--nbd-tls-\(given) needs --nbd-tls-\(missing) FILE beside it")
        }
        if clientAuthorities != nil, certificate == nil {
            throw CommandFailure.usage(
                "--nbd-tls-client-ca needs --nbd-tls-cert FILE and --nbd-tls-key FILE: the server shows a certificate too"
            )
        }
        if sharedKeys != nil, certificate != nil, clientAuthorities == nil {
            throw CommandFailure.usage(
                "--nbd-tls-psk beside --nbd-tls-cert would let in clients without a key too: "
                    + "give --nbd-tls-client-ca FILE as well, or leave the certificate out")
        }
        let hasFiles = certificate != nil || sharedKeys != nil
        let policy = policy ?? (hasFiles ? .require : .off)
        if policy != .off, !hasFiles {
            throw CommandFailure.usage(
                "--nbd-tls \(policy.rawValue) needs --nbd-tls-cert FILE and --nbd-tls-key FILE, or --nbd-tls-psk FILE")
        }
        return policy
    }

    /// Beyond this machine disks go encrypted and to known clients, or somebody says that they need not.
    private func checkReach(of host: String, _ policy: TLSPolicy) throws {
        if insecure || Places.isLoopback(host) || policy == .require && files.authenticatesClients { return }
        guard policy == .require else {
            throw CommandFailure.usage(
                "\(host) is not this machine: disks would go unencrypted and to anyone; "
                    + "give --nbd-tls-cert, --nbd-tls-key and --nbd-tls-client-ca, or --nbd-tls-psk, "
                    + "or add --insecure if the network is yours")
        }
        throw CommandFailure.usage(
            "\(host) is not this machine: disks would go to anyone who asks; give --nbd-tls-client-ca FILE "
                + "to let in only clients with a certificate, or add --insecure if the network is yours")
    }

    private func load(_ report: @escaping @Sendable (String) -> Void) throws -> TLSSecurity {
        do throws(TLSFileFailure) { return try TLSSecurity(files, report: report) } catch {
            throw CommandFailure.refused("\(error.part.option): \(error)")
        }
    }
}

extension TLSFiles.Part {
    /// The option that names the file.
    var option: String {
        switch self {
        case .certificate: "--nbd-tls-cert"
        case .key: "--nbd-tls-key"
        case .clientAuthorities: "--nbd-tls-client-ca"
        case .sharedKeys: "--nbd-tls-psk"
        }
    }
}
