internal import ArgumentParser

/// `varve volume resize`
struct VolumeResize: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize", abstract: "Grow a volume.",
        discussion: """
            Works while attached; clients see the new size when they connect again. Volumes never shrink.

            Example:
              varve volume resize vol-0123456789abcdef0 --size 16GiB
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String
    @Option(help: ArgumentHelp("The new size.", valueName: "size")) var size: SizeOption

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/volumes/\(Segment.of(id))", ["sizeBytes": .number(size.bytes)])
    }
}
