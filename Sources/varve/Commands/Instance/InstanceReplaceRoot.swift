internal import ArgumentParser
internal import ControlPlane

/// `varve instance replace-root`
struct InstanceReplaceRoot: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace-root",
        abstract: "Give a running instance a new disk to start from and print the disk's id.",
        discussion: """
            The new disk is made of a snapshot of the old one, of an image, or of what the instance was launched with. It is as
            large and as fast as the old one, has its name and its tags, and takes its place: clients are sent away and find it
            at the same socket. The old disk is kept, detached, unless --delete-old is given.

            Examples:
              varve instance replace-root i-0123456789abcdef0
              varve instance replace-root i-0123456789abcdef0 --snapshot snap-0123456789abcdef0 --delete-old
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String
    @Option(help: ArgumentHelp("Of this snapshot of the disk.", valueName: "snapshot")) var snapshot: String?
    @Option(help: ArgumentHelp("Of the disk that this image starts from.", valueName: "image")) var image: String?
    @Flag(help: "Delete the old disk.") var deleteOld = false

    func validate() throws {
        if snapshot != nil && image != nil { throw ValidationError("Give --snapshot or --image, not both.") }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["deletesOld": .flag(deleteOld)]
        if let snapshot { fields["snapshotId"] = .text(snapshot) }
        if let image { fields["imageId"] = .text(image) }
        let path = try "/instances/\(Segment.of(id))/root-replacements"
        let made: RootReplacementView = try await client.call("POST", path, fields)
        if made.state == .failed || made.state == .failing {
            throw CommandFailure.refused("the disk was not replaced: \(made.reason ?? "unknown reason")")
        }
        if let volume = made.newVolumeId { Output.line(volume) }
        if made.state != .succeeded { Output.note("\(made.id) goes on by itself: it is \(made.state.rawValue)") }
    }
}
