internal import ArgumentParser

/// `varve volume modify`
struct VolumeModify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "modify", abstract: "Rename, describe, grow or share a volume, or make it faster or slower.",
        discussion: """
            Example:
              varve volume modify vol-0123456789abcdef0 --name archive --size 16GiB
              varve volume modify vol-0123456789abcdef0 --kind gp3 --iops 6000 --throughput 500
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String
    @Option(help: "A new name; an empty one takes the name away.") var name: String?
    @Option(help: "A description, at most 1024 characters; an empty one takes it away.") var description: String?
    @Option(help: ArgumentHelp("A larger size.", valueName: "size")) var size: SizeOption?

    @OptionGroup var speed: SpeedOptions
    @Flag(inversion: .prefixedNo, help: "Let several instances have it at a time, for kind io2; or no longer.")
    var shared: Bool?

    func validate() throws {
        if name == nil && description == nil && size == nil && speed.kind == nil && shared == nil {
            throw ValidationError("Give --name, --description, --size, --kind or --shared.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let name { fields["name"] = .text(name.isEmpty ? nil : name) }
        if let description { fields["description"] = .text(description.isEmpty ? nil : description) }
        if let size { fields["sizeBytes"] = .number(size.bytes) }
        speed.fill(&fields)
        if let shared { fields["isShared"] = .flag(shared) }
        _ = try await client.callRaw("PATCH", "/volumes/\(Segment.of(id))", fields)
    }
}
