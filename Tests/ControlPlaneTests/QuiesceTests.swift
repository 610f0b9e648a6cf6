import Blocks
import TestSupport
import Testing

@testable import ControlPlane

/// Snapshots that are cut while their hosts keep still.
@Suite struct QuiesceTests {
    private func code(_ body: () async throws -> Void) async -> ServiceError.Code? {
        await #expect(throws: ServiceError.self) { try await body() }?.code
    }

    /// On a machine that is busy with other tests nothing comes soon.
    private static func fixture() async throws -> HouseFixture {
        try await HouseFixture { plan in
            plan.agentPatience = .seconds(120)
            plan.scrubEvery = nil
        }
    }

    private func quiesce(_ least: Consistency = .crash, seconds: Int = 120, tries: Int = 1) -> Quiesce {
        var quiesce = Quiesce()
        quiesce.atLeast = least
        quiesce.seconds = seconds
        quiesce.tries = tries
        return quiesce
    }

    private func create(_ fixture: HouseFixture, _ volume: String, _ quiesce: Quiesce) async throws -> SnapshotView {
        var request = CreateSnapshot(volume: volume)
        request.quiesce = quiesce
        return try await fixture.snapshots.create(request)
    }

    /// An instance with some volumes of eight blocks.
    private func host(_ fixture: HouseFixture, volumes: Int = 1) async throws -> (id: String, volumes: [String]) {
        let host = try await fixture.house.instances.launch(NewInstances())[0].id
        var made: [String] = []
        for _ in 0..<volumes {
            let volume = try await fixture.volumes.create(CreateVolume(size: ByteCount(32_768))).id
            _ = try await fixture.house.instances.attach(volume, to: host)
            made.append(volume)
        }
        return (host, made)
    }

    /// Its agent is there once it has asked for its first turn.
    private func isThere(_ fixture: HouseFixture, _ host: String) async throws {
        try await fixture.eventually("the agent is there") { fixture.house.household.quiescing.knows(host) }
    }

    @Test("nothing is half written on any of a host's volumes that came to rest, however its writer hurries")
    func atRest() async throws {
        let fixture = try await Self.fixture()
        let (host, volumes) = try await host(fixture, volumes: 2)
        let (mustRest, mustStop, stamp) = (Guarded(false), Guarded(false), Guarded(0))
        let resting = Guarded(false)
        let writer = Task {
            while !mustStop.withLock({ $0 }) {
                if mustRest.withLock({ $0 }) {
                    resting.withLock { $0 = true }
                    try await Task.sleep(for: .milliseconds(1))
                    continue
                }
                resting.withLock { $0 = false }
                let next = UInt8(
                    stamp.withLock {
                        $0 = $0 % 250 + 1; return $0
                    })
                for volume in volumes {
                    for block in 0..<8 { try await fixture.write(volume, block..<block + 1, next) }
                }
            }
        }
        let agent = HostAgent(
            "a", of: host, fixture,
            rest: {
                mustRest.withLock { $0 = true }
                while !resting.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
                return .application
            }, goOn: { mustRest.withLock { $0 = false } })
        try await isThere(fixture, host)
        var torn = 0
        for round in 1...12 {
            let isQuiet = round % 2 == 0
            let taken = try await fixture.snapshots.createGroup(
                of: volumes, name: nil, description: nil, quiesce: isQuiet ? quiesce(.application) : nil)
            try await fixture.eventually("the host goes on") { !agent.isStill }
            #expect(taken.map(\.consistency) == Array(repeating: isQuiet ? .application : nil, count: 2))
            var content: Set<UInt8> = []
            for snapshot in taken {
                #expect(try await fixture.snapshots.wait(for: snapshot.id).consistency == snapshot.consistency)
                content.formUnion(try await fixture.look(snapshot: snapshot.id))
            }
            if isQuiet {
                #expect(content.count == 1, "round \(round): \(content)")
            } else if content.count > 1 {
                torn += 1
            }
        }
        // Else the writer was too slow to prove anything.
        #expect(torn > 0)
        #expect(agent.orders == 6)
        mustStop.withLock { $0 = true }
        try await writer.value
        await agent.stop()
    }

    @Test("without an agent there is a snapshot as after a loss of power, or none if that is not enough")
    func nobody() async throws {
        let fixture = try await Self.fixture()
        let (host, volumes) = try await host(fixture)
        #expect(try await create(fixture, volumes[0], quiesce()).consistency == nil)
        #expect(await code { _ = try await create(fixture, volumes[0], quiesce(.fileSystem)) } == .wrongState)
        let local = try await fixture.volume()
        #expect(await code { _ = try await create(fixture, local, quiesce(.fileSystem)) } == .wrongState)
        #expect(try await fixture.snapshots.list().count == 1)
        // What is attached nowhere has nobody to ask.
        try await fixture.house.instances.detach(volumes[0], from: host, as: nil)
        #expect(try await create(fixture, volumes[0], quiesce(.application)).consistency == nil)
        #expect(await code { _ = try await create(fixture, local, quiesce(seconds: 0)) } == .invalid)
        #expect(await code { _ = try await create(fixture, local, quiesce(tries: 5)) } == .invalid)
    }

    @Test(
        "an agent that comes less far, too late or never to rest counts for what it is, and the next try may do better")
    func lesser() async throws {
        let fixture = try await Self.fixture()
        let (host, volumes) = try await host(fixture)
        var agent = HostAgent("half", of: host, fixture, rest: { .fileSystem })
        try await isThere(fixture, host)
        #expect(try await create(fixture, volumes[0], quiesce()).consistency == .fileSystem)
        #expect(
            await code { _ = try await create(fixture, volumes[0], quiesce(.application, tries: 3)) } == .wrongState)
        try await fixture.eventually("it was asked again") { agent.orders == 4 && !agent.isStill }
        await agent.stop()
        agent = HostAgent(
            "late", of: host, fixture,
            rest: {
                try? await Task.sleep(for: .seconds(2)); return .application
            })
        try await fixture.eventually("it has the queue") { fixture.house.household.quiescing.knows(host) }
        #expect(try await create(fixture, volumes[0], quiesce(seconds: 1)).consistency == nil)
        try await fixture.eventually("it goes on") { agent.orders == 1 && !agent.isStill }
        await agent.stop()
        agent = HostAgent("dead", of: host, fixture, rest: { nil })
        #expect(
            await code { _ = try await create(fixture, volumes[0], quiesce(.fileSystem, seconds: 1)) } == .wrongState)
        #expect(try await fixture.snapshots.list().count == 2)
        await agent.stop()
        let tries = Guarded(0)
        agent = HostAgent(
            "second", of: host, fixture,
            rest: {
                tries.withLock {
                    $0 += 1; return $0 > 1 ? .application : .crash
                }
            })
        #expect(try await create(fixture, volumes[0], quiesce(.application, tries: 2)).consistency == .application)
        await agent.stop()
    }

    @Test("cuts that ask the same host at once take turns")
    func queue() async throws {
        let fixture = try await Self.fixture()
        let (host, volumes) = try await host(fixture, volumes: 5)
        let agent = HostAgent("a", of: host, fixture, rest: { .application })
        try await isThere(fixture, host)
        let found = try await withThrowingTaskGroup(of: Consistency?.self) { group in
            for volume in volumes {
                group.addTask { try await create(fixture, volume, quiesce(.application)).consistency }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found == Array(repeating: .application, count: 5))
        try await fixture.eventually("it goes on") { agent.orders == 5 && !agent.isStill }
        await agent.stop()
    }

    @Test("of a volume that several have, the host that came least far counts")
    func shared() async throws {
        let fixture = try await Self.fixture()
        let instances = fixture.house.instances
        let hosts = try await instances.launch(NewInstances(count: 2)).map(\.id)
        var wanted = CreateVolume(size: .gibibytes(4))
        wanted.profile = VolumeProfile(kind: "io2", iops: 100, throughput: nil)
        wanted.isShared = true
        let volume = try await fixture.volumes.create(wanted).id
        for host in hosts { _ = try await instances.attach(volume, to: host) }
        let first = HostAgent("a", of: hosts[0], fixture, rest: { .application })
        try await isThere(fixture, hosts[0])
        #expect(try await create(fixture, volume, quiesce()).consistency == nil)
        let second = HostAgent("b", of: hosts[1], fixture, rest: { .fileSystem })
        try await isThere(fixture, hosts[1])
        #expect(try await create(fixture, volume, quiesce()).consistency == .fileSystem)
        #expect(await code { _ = try await create(fixture, volume, quiesce(.application)) } == .wrongState)
        await first.stop()
        await second.stop()
    }

    @Test("a report counts for so long as the agent surely keeps still, and of two agents one has the order")
    func board() async throws {
        let board = QuiesceBoard(Bulletin(), patience: .seconds(120))
        func order(_ limit: Duration) async throws -> (order: String, asking: Task<QuiesceBoard.Asked?, Never>) {
            let asking = Task { await board.ask(["i-1"], for: limit)["i-1"] }
            while true {
                if let order = board.turn(of: "i-1", by: "a", nil).order { return (order, asking) }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        #expect(await board.ask(["i-1"], for: .seconds(1)).isEmpty)
        #expect(board.turn(of: "i-1", by: "a", nil) == QuiesceTurn())
        let long = try await order(.seconds(1000))
        let still = QuiesceReport(order: long.order, outcome: .application)
        #expect(board.turn(of: "i-1", by: "b", still) == QuiesceTurn())
        #expect(board.turn(of: "i-1", by: "a", QuiesceReport(order: "other", outcome: .crash)).order == long.order)
        #expect(board.turn(of: "i-1", by: "a", still) == QuiesceTurn(order: long.order, seconds: 1000))
        let asked = try #require(await long.asking.value)
        #expect(board.reached(asked) == .application)
        // Whoever has to let go says so first.
        _ = board.turn(of: "i-1", by: "a", QuiesceReport(order: long.order, outcome: .crash))
        _ = board.turn(of: "i-1", by: "a", still)
        #expect(board.reached(asked) == .crash)
        board.end(asked)
        board.end(asked)
        #expect(board.reached(asked) == .crash)
        #expect(board.turn(of: "i-1", by: "a", still) == QuiesceTurn())
        let short = try await order(.seconds(1))
        _ = board.turn(of: "i-1", by: "a", QuiesceReport(order: short.order, outcome: .application))
        let late = try #require(await short.asking.value)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(board.reached(late) == .crash, "the agent may have let go")
        board.end(late)
    }

    @Test("of cuts that ask the same hosts at once none waits for another that waits for it", .timeLimit(.minutes(10)))
    func crossing() async throws {
        let fixture = try await Self.fixture()
        let first = try await host(fixture, volumes: 20), second = try await host(fixture, volumes: 20)
        let agents = [first, second].map { HostAgent("a", of: $0.id, fixture, rest: { .application }) }
        for host in [first, second] { try await isThere(fixture, host.id) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pair in zip(first.volumes, second.volumes) {
                group.addTask {
                    let taken = try await fixture.snapshots.createGroup(
                        of: [pair.0, pair.1], name: nil, description: nil, quiesce: quiesce(.application))
                    #expect(taken.allSatisfy { $0.consistency == .application })
                }
            }
            try await group.waitForAll()
        }
        for agent in agents { await agent.stop() }
    }

    @Test(
        "a host whose agent let a cut wait in vain is not waited for again, until the agent works or there is another one"
    )
    func shunned() async throws {
        let board = QuiesceBoard(Bulletin(), patience: .seconds(120))
        #expect(board.turn(of: "i-1", by: "a", nil) == QuiesceTurn())
        func ask(_ limit: Duration) async throws -> (order: String, asking: Task<QuiesceBoard.Asked?, Never>) {
            let asking = Task { await board.ask(["i-1"], for: limit)["i-1"] }
            while true {
                if let order = board.turn(of: "i-1", by: "a", nil).order { return (order, asking) }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        let vain = try await ask(.seconds(1))
        let asked = try #require(await vain.asking.value)
        #expect(board.reached(asked) == .crash)
        board.end(asked)
        #expect(board.turn(of: "i-1", by: "a", nil) == QuiesceTurn())
        #expect(await board.ask(["i-1"], for: .seconds(1000)).isEmpty)
        // It says what it was asked for, late.
        _ = board.turn(of: "i-1", by: "a", QuiesceReport(order: vain.order, outcome: .application))
        let again = try await ask(.seconds(1000))
        _ = board.turn(of: "i-1", by: "a", QuiesceReport(order: again.order, outcome: .application))
        board.end(try #require(await again.asking.value))
    }

    @Test("an agent that keeps still while the server starts anew hears that it may go on")
    func restart() async throws {
        let fixture = try await Self.fixture()
        let (host, volumes) = try await host(fixture)
        let agent = HostAgent("a", of: host, fixture, rest: { .application })
        try await isThere(fixture, host)
        let house = fixture.house.household
        let asked = try #require(await house.quiescing.ask([host], for: .seconds(100))[host])
        #expect(house.quiescing.reached(asked) == .application && agent.isStill)
        try await fixture.reopen()
        try await fixture.eventually("it goes on") { !agent.isStill }
        try await isThere(fixture, host)
        #expect(try await create(fixture, volumes[0], quiesce(.application)).consistency == .application)
        await agent.stop()
    }

    @Test("a policy's snapshots are taken at rest, or its problem says why not")
    func policy() async throws {
        let fixture = try await Self.fixture()
        let (host, volumes) = try await host(fixture, volumes: 2)
        var schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 7))
        schedule.quiesce = quiesce(.fileSystem)
        let plan = PolicyPlan(targets: .init(.instances, ids: [host]), schedules: [schedule])
        let policies = fixture.house.policies
        let policy = try await policies.create(plan).id
        #expect(try await policies.show(policy).plan?.schedules[0].quiesce == quiesce(.fileSystem))
        _ = try await policies.run(policy)
        try await fixture.eventually("it says why not") {
            try await policies.show(policy).problem?.contains("no agent listens there") == true
        }
        #expect(try await fixture.snapshots.list().isEmpty)
        let agent = HostAgent("a", of: host, fixture, rest: { .fileSystem })
        try await isThere(fixture, host)
        _ = try await policies.run(policy)
        try await fixture.eventually("both are taken") { try await fixture.snapshots.list().count == volumes.count }
        #expect(try await fixture.snapshots.list().allSatisfy { $0.consistency == .fileSystem })
        var images = plan
        images.product = .images
        #expect(await code { _ = try await policies.create(images) } == .invalid)
        await agent.stop()
    }
}
