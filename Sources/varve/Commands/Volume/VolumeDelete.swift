internal import ArgumentParser

/// `varve volume delete`
struct VolumeDelete: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a volume; its snapshots stay.",
        discussion: """
            The volume must not be attached. Where a rule of the bin holds it is kept there (`varve bin list`).

            Example:
              varve volume delete vol-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/volumes/\(Segment.of(id))")
    }
}
