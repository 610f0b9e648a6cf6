internal import ArgumentParser

/// `varve volume modify`
struct VolumeModify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "modify", abstract: "Rename or grow a volume.",
        discussion: """
            Example:
              varve volume modify vol-0123456789abcdef0 --name archive --size 16GiB
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String
    @Option(help: "A new name; an empty one takes the name away.") var name: String?
    @Option(help: ArgumentHelp("A larger size.", valueName: "size")) var size: SizeOption?

    func validate() throws {
        if name == nil && size == nil { throw ValidationError("Give --name or --size.") }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let name { fields["name"] = .text(name.isEmpty ? nil : name) }
        if let size { fields["sizeBytes"] = .number(size.bytes) }
        _ = try await client.callRaw("PATCH", "/volumes/\(Segment.of(id))", fields)
    }
}
