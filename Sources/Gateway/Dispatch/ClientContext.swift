internal import Hummingbird
internal import NIOCore

/// What goes with a request: where it came from, and by which connection.
struct ClientContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's address, without its port; nil: not known.
    let address: String?
    private let channel: any Channel

    init(source: Source) {
        coreContext = .init(source: source)
        address = source.channel.remoteAddress?.ipAddress
        channel = source.channel
    }

    /// For how long an answer may be on its way to a client whose connection ends after it.
    private static let farewell = TimeAmount.seconds(1)

    /// Ends the connection, so that nobody waits for what of the request was not read.
    func endConnectionSoon() {
        channel.eventLoop.scheduleTask(in: Self.farewell) { [channel] in channel.close(promise: nil) }
    }
}
