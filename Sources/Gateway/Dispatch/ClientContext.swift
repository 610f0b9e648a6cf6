internal import Hummingbird
internal import NIOCore

/// What goes with a request: where it came from.
struct ClientContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's address, without its port; nil: not known.
    let address: String?

    init(source: Source) {
        coreContext = .init(source: source)
        address = source.channel.remoteAddress?.ipAddress
    }
}
