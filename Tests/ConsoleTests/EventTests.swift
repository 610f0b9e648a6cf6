import Blocks
import ControlPlane
import Foundation
import Simulation
import TestSupport
import Testing

@testable import Console

/// Whatever changes something through the native API leaves an event, and what only looks leaves none.
@Suite struct EventTests {
    private static func house(
        refusals: Int = 60, by clock: (any HouseClock)? = nil
    ) async throws -> (ScratchDirectory, House) {
        let scratch = try ScratchDirectory("varve-events")
        var plan = HousePlan(data: scratch.path + "/data")
        plan.refusalsKept = refusals
        if let clock {
            plan.clock = clock
            plan.scrubEvery = nil
        }
        return (scratch, try await House.open(plan, exports: Board()))
    }

    /// A body in which nothing that must be there is missing, about things that nobody has.
    private static func body(of route: NativeRoute) throws -> [UInt8] {
        if route.takesBytes { return [] }
        var fields: [String: Any] = [:]
        for key in route.keys {
            switch key {
            case "sizeBytes": fields[key] = 1 << 20
            case "snapshotId", "fromSnapshotId": fields[key] = "snap-00000000000000000"
            case "volumeId": fields[key] = "vol-00000000000000000"
            case "volumeIds": fields[key] = ["vol-00000000000000000"]
            case "name", "principal", "to", "currency", "agent": fields[key] = "new"
            case "role": fields[key] = "reader"
            case "isActive", "isEnabled": fields[key] = false
            case "state": fields[key] = "stopped"
            case "mode": fields[key] = "governance"
            case "resourceType": fields[key] = "snapshot"
            case "days", "value": fields[key] = 1
            case "publicAccess": fields[key] = "unblocked"
            case "plan":
                fields[key] = [
                    "targets": ["ids": ["vol-00000000000000000"]],
                    "schedules": [["name": "daily", "when": ["every": ["hours": 24, "from": "03:00"]]]],
                ]
            default: break
            }
        }
        return fields.isEmpty ? [] : Array(try JSONSerialization.data(withJSONObject: fields))
    }

    private static func path(of route: NativeRoute) -> String {
        let ids = [
            "volumes": "vol-00000000000000000", "imports": "vol-00000000000000000",
            "snapshots": "snap-00000000000000000", "instances": "i-00000000000000000",
            "policies": "policy-00000000000000000", "quotas": "snapshots",
            "bin": "snap-00000000000000000", "bin-rules": "NobodysRule",
        ]
        return "/"
            + route.pattern.map { $0.hasPrefix("{") ? ids[route.pattern[0]] ?? "VARVNOBODY" : $0 }
            .joined(separator: "/")
    }

    @Test("every route that is not for reading leaves one event, a reader's refusal too; those for reading leave none")
    func everyRoute() async throws {
        let (scratch, house) = try await Self.house(refusals: 1000)
        let api = NativeAPI(house)
        let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
        var last = 0
        for route in NativeAPI.routes {
            let name = "\(route.method) /\(route.pattern.joined(separator: "/"))"
            for caller in [Caller.root, reader] {
                let answer = await api.answer(
                    NativeRequest(
                        method: route.method, path: Self.path(of: route),
                        query: route.query.contains("offset") ? "offset=0" : "", body: try Self.body(of: route)),
                    for: caller)
                var filter = EventFilter()
                filter.limit = 3
                let found = try await house.events.list(filter).filter { $0.number > last }
                // Parts of an import are many; its beginning and its end are events.
                let isPart = route.takesBytes || route.isSmallTalk
                let isRead = route.method == "GET" || isPart
                #expect(found.count == (isRead ? 0 : 1), "\(name) by \(caller.principal): \(answer.status) \(found)")
                last = max(last, found.first?.number ?? 0)
                guard let event = found.first else { continue }
                #expect(event.action == name && event.door == "native" && event.principal == caller.principal)
                #expect((event.outcome == "ok") == (answer.status < 300), "\(name): \(event.outcome) \(answer.status)")
                if answer.status == 403 { #expect(event.outcome == "forbidden") }
            }
        }
        await house.close()
        withExtendedLifetime(scratch) {}
    }

    @Test("an event says who, what, about what, from where and how it ended, and never a secret")
    func content() async throws {
        let (scratch, house) = try await Self.house()
        let api = NativeAPI(house)
        let origin = RequestOrigin(address: "192.0.2.7", accessKey: "VARVKEY", requestID: "req-1")
        func ask(_ method: String, _ path: String, _ body: String = "", by caller: Caller = .root) async -> NativeAnswer
        {
            await RequestOrigin.$current.withValue(origin) {
                await api.answer(NativeRequest(method: method, path: path, body: Array(body.utf8)), for: caller)
            }
        }
        let made = await ask("POST", "/volumes", #"{"sizeBytes":1048576,"name":"n"}"#)
        let volume = try JSONDecoder().decode(VolumeView.self, from: Data(made.body)).id
        let secret = String(
            decoding: await ask("POST", "/access-keys", #"{"principal":"ci","role":"reader"}"#).body, as: UTF8.self)
        #expect(secret.contains("secretAccessKey"))
        _ = await ask("DELETE", "/volumes/\(volume)")
        _ = await ask("DELETE", "/volumes/\(volume)")
        let events = try await house.events.list()
        try #require(events.count == 4, "\(events)")
        #expect(
            events.map(\.action) == [
                "DELETE /volumes/{id}", "DELETE /volumes/{id}", "POST /access-keys", "POST /volumes",
            ])
        #expect(events.map(\.outcome) == ["missing", "ok", "ok", "ok"])
        #expect(events.map(\.verb) == ["volume.delete", "volume.delete", "account.createKey", "volume.create"])
        #expect(events[3].subjects == [volume] && events[0].subjects == [volume])
        #expect(
            events.allSatisfy { $0.address == "192.0.2.7" && $0.accessKeyId == "VARVKEY" && $0.requestId == "req-1" })
        struct Key: Decodable {
            let secretAccessKey: String
        }
        let key = try JSONDecoder().decode(Key.self, from: Data(secret.utf8)).secretAccessKey
        let answer = String(decoding: await ask("GET", "/events").body, as: UTF8.self)
        #expect(answer.contains(volume) && !answer.contains(key))
        var filter = EventFilter()
        filter.subject = volume
        filter.onlyFailed = true
        #expect(try await house.events.list(filter).map(\.outcome) == ["missing"])
        filter = EventFilter()
        filter.limit = 2
        filter.before = events[1].number
        #expect(try await house.events.list(filter) == Array(events[2...]))
        // Another account sees its own alone, and what it asked for about others' things is its own.
        let account = try await house.accounts.create(named: "others").id
        let eve = Caller(account: account, principal: "eve", role: .administrator)
        _ = await ask("DELETE", "/volumes/\(volume)", by: eve)
        let strangers = try await house.verbs(for: eve).events.list()
        #expect(strangers.map(\.accountId) == [account] && strangers[0].outcome == "missing")
        filter = EventFilter()
        filter.account = account
        #expect(try await house.events.list(filter) == strangers)
        filter.account = "100000000000"
        await #expect(throws: ServiceError.self) { try await house.verbs(for: eve).events.list(filter) }
        await house.close()
        withExtendedLifetime(scratch) {}
    }

    @Test("refusals beyond so many a minute are counted instead of written")
    func throttled() async throws {
        // One minute, however long it takes.
        let (scratch, house) = try await Self.house(by: ManualClock())
        let api = NativeAPI(house)
        for _ in 0..<200 {
            _ = await api.answer(NativeRequest(method: "DELETE", path: "/volumes/vol-00000000000000000"), for: .root)
        }
        _ = await api.answer(
            NativeRequest(method: "POST", path: "/volumes", body: Array(#"{"sizeBytes":1048576}"#.utf8)), for: .root)
        var filter = EventFilter()
        filter.limit = 1000
        let events = try await house.events.list(filter)
        let refused = events.count { $0.outcome == "missing" }
        let unrecorded = events.compactMap(\.unrecorded).reduce(0, +)
        #expect(refused == 60 && unrecorded == 140)
        #expect(events.first?.outcome == "ok")
        await house.close()
        withExtendedLifetime(scratch) {}
    }
}
