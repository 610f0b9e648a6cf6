import TestSupport
import Testing

@testable import ECSDialect

@Suite struct CompatibilityTests {
    @Test("docs/compatibility.md says what Alibaba's routing table says (VARVE_WRITE_DOCS=1 writes it)")
    func page() throws {
        try GeneratedTable("alibaba actions", in: "docs/compatibility.md").check(Compatibility.table)
    }
}
