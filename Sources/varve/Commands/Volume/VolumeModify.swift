internal import ArgumentParser

/// `varve volume modify`
struct VolumeModify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "modify", abstract: "Rename or grow a volume, or make it faster or slower.",
        discussion: """
            Example:
              varve volume modify vol-0123456789abcdef0 --name archive --size 16GiB
              varve volume modify vol-0123456789abcdef0 --kind gp3 --iops 6000 --throughput 500
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String
    @Option(help: "A new name; an empty one takes the name away.") var name: String?
    @Option(help: ArgumentHelp("A larger size.", valueName: "size")) var size: SizeOption?

    @OptionGroup var speed: SpeedOptions

    func validate() throws {
        if name == nil && size == nil && speed.kind == nil { throw ValidationError("Give --name, --size or --kind.") }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let name { fields["name"] = .text(name.isEmpty ? nil : name) }
        if let size { fields["sizeBytes"] = .number(size.bytes) }
        speed.fill(&fields)
        _ = try await client.callRaw("PATCH", "/volumes/\(Segment.of(id))", fields)
    }
}
