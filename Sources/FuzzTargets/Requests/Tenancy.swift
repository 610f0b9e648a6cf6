internal import Blocks
internal import ControlPlane

/// The house that requests are made to: a fresh one now and then, so that inputs can be repeated but not each pays for one.
actor Tenancy {
    static let shared = Tenancy()
    private static let stay = 100
    private var present: (house: House, scratch: Scratch)?
    private var guests = 0

    /// Runs what waits for a house, on the thread of the fuzzer.
    static func waiting(_ body: @escaping @Sendable () async throws -> Void) throws {
        let outcome = Guarded<Result<Void, BrokenProperty>?>(nil)
        Task.detached {
            let result: Result<Void, BrokenProperty>
            do {
                try await body()
                result = .success(())
            } catch let broken as BrokenProperty {
                result = .failure(broken)
            } catch {
                result = .failure(BrokenProperty(description: "a house opens: \(error)"))
            }
            outcome.change { $0 = result }
        }
        try outcome.wait { $0 }.get()
    }

    func enter() async throws -> House {
        guests += 1
        if let present, guests % Self.stay != 0 { return present.house }
        if let present { await present.house.close() }
        present = nil
        let scratch = try Scratch()
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        present = (house, scratch)
        return house
    }

    private struct Board: ExportBoard {
        func publish(_ name: String, device: any BlockDevice) async throws {}
        func withdraw(_ name: String) async {}
        func uri(of name: String) -> String { "nbd+unix:///\(name)?socket=/none" }
    }
}
