internal import ControlPlane

extension NativeAPI {
    /// The JSON of a list.
    struct EventList: Encodable {
        let events: [EventView]
    }

    static let eventRoutes = [
        NativeRoute(
            "GET", "/events", "What was changed or was to be, by whom, newest first.",
            query: ["since", "until", "subject", "failed", "before", "limit", "account"]
        ) { call in
            var filter = EventFilter()
            filter.since = try call.time("since")
            filter.until = try call.time("until")
            filter.subject = call.query["subject"]
            filter.onlyFailed = try call.flag("failed")
            filter.before = try call.number("before")
            filter.limit = try call.number("limit") ?? filter.limit
            filter.account = call.query["account"]
            return try .json(EventList(events: try await call.verbs.events.list(filter)))
        }
    ]
}
