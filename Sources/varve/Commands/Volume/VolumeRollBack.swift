internal import ArgumentParser

/// `varve volume rollback`
struct VolumeRollBack: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Set a volume's content back to one of its snapshots.",
        discussion: """
            The volume must not be attached. What was written after the snapshot is lost, unless another snapshot has it.
            The volume is usable at once; its data follow in the background. With --wait the command returns when they are
            all here, and on a terminal shows how far it is.

            Example:
              varve volume rollback vol-0123456789abcdef0 snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The volume's id.") var id: String
    @Argument(help: "The snapshot's id.") var snapshot: String
    @Flag(help: "Return when all of its content is here.") var wait = false

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("POST", "/volumes/\(Segment.of(id))/rollback", ["snapshotId": .text(snapshot)])
        if wait { _ = try await RestoreProgress.follow(id, client) }
    }
}
