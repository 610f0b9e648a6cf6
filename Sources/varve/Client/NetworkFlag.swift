internal import ArgumentParser
internal import ControlPlane

/// `--network`: the URI for other hosts.
struct NetworkFlag: ParsableArguments {
    @Flag(help: "The URI for clients on other hosts: nbds:// if there is TLS, else nbd://.")
    var network = false

    /// The URI that is wanted.
    func choose(_ attachment: AttachmentView) throws -> String {
        guard network else { return attachment.uri }
        guard let uri = attachment.networkUri else {
            throw CommandFailure.refused(
                "the server offers disks on this host only: start it with --nbd-listen tcp://HOST:PORT")
        }
        return uri
    }
}
