internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot share`
struct SnapshotShare: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Let other accounts, or everybody, make volumes of a snapshot.",
        discussion: """
            Prints with whom it is shared then. What others made of it stays theirs when the sharing ends.

            Examples:
              varve snapshot share snap-0123456789abcdef0 --with 123456789012
              varve snapshot share snap-0123456789abcdef0 --public
              varve snapshot share snap-0123456789abcdef0 --with 123456789012 --stop
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: ArgumentHelp("An account; may be repeated.", valueName: "account")) var with: [String] = []
    @Flag(name: .customLong("public"), help: "Everybody.") var everybody = false
    @Flag(help: "Share it with them no more.") var stop = false

    func validate() throws {
        if stop && with.isEmpty && !everybody {
            throw ValidationError("Say with whom to stop: --with ACCOUNT, or --public.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if !with.isEmpty { fields[stop ? "removeAccounts" : "addAccounts"] = .texts(with) }
        if everybody { fields["isPublic"] = .flag(!stop) }
        let bytes = try await client.callRaw("PATCH", "/snapshots/\(Segment.of(id))/sharing", fields)
        if format.output == .json { return Output.json(bytes) }
        let sharing: SnapshotSharing = try NativeClient.read(bytes)
        Output.line(sharing.sentence)
    }
}

extension SnapshotSharing {
    /// With whom, in words.
    var sentence: String {
        let named = accounts.isEmpty ? nil : accounts.joined(separator: ", ")
        return switch (isPublic, named) {
        case (true, let named?): "shared with everybody, and by name with \(named)"
        case (true, nil): "shared with everybody"
        case (false, let named?): "shared with \(named)"
        case (false, nil): "shared with nobody"
        }
    }
}
