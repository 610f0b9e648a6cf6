internal import ArgumentParser
internal import Foundation
internal import RequestSigning

/// Where the server is and which key to sign with.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's address (VARVE_ENDPOINT; http://127.0.0.1:8420).", valueName: "url"))
    var endpoint: String?

    @Option(help: ArgumentHelp("The server's data directory, for its key (VARVE_DATA).", valueName: "dir"))
    var data: String?

    @Option(
        help: ArgumentHelp("The region to ask (VARVE_REGION); by default the server's first.", valueName: "name"))
    var region: String?

    /// The region that is asked for, or nil.
    var wantedRegion: String? { region ?? ProcessInfo.processInfo.environment["VARVE_REGION"] }

    /// The address, without a slash at its end.
    func address() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        var text = endpoint ?? environment["VARVE_ENDPOINT"] ?? "http://127.0.0.1:8420"
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = URL(string: text), url.scheme == "http", url.host != nil, url.path.isEmpty else {
            throw CommandFailure.usage("the endpoint '\(text)' is not of the form http://HOST:PORT")
        }
        return text
    }

    /// The key: from VARVE_ACCESS_KEY_ID and VARVE_SECRET_ACCESS_KEY, or from the data directory.
    func key() throws -> SigningKey {
        let environment = ProcessInfo.processInfo.environment
        if let id = environment["VARVE_ACCESS_KEY_ID"], let secret = environment["VARVE_SECRET_ACCESS_KEY"] {
            return SigningKey(accessKeyID: id, secret: secret)
        }
        guard let folder = data ?? environment["VARVE_DATA"] else {
            throw CommandFailure.usage("which key? Set VARVE_DATA or give --data, the server's data directory")
        }
        let path = folder + "/root-credentials"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CommandFailure.usage(
                "cannot read the key in \(path); is VARVE_DATA the data directory of a server that has been started?")
        }
        guard let key = CredentialsFile.key(in: text) else {
            throw CommandFailure.usage(
                "\(path) does not hold aws_access_key_id and aws_secret_access_key under [default]")
        }
        return key
    }
}

/// The shared-credentials format of AWS: sections in brackets, `name = value` lines.
enum CredentialsFile {
    static func key(in text: String) -> SigningKey? {
        var section = ""
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline).map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("[") {
                section = line.trimmingCharacters(in: CharacterSet(charactersIn: "[] "))
            } else if section == "default", !line.hasPrefix("#") {
                let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                if parts.count == 2 { values[parts[0]] = parts[1] }
            }
        }
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else { return nil }
        return SigningKey(accessKeyID: id, secret: secret)
    }
}
