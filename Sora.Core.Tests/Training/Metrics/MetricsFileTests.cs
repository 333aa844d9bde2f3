using Sora.Training.Metrics;
using Xunit;

namespace Sora.Tests.Training.Metrics;

public sealed class MetricsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-metrics-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "metrics.jsonl");

    [Fact]
    public void ResumingKeepsTheRowsOfTheStepsThatWereTaken()
    {
        using (MetricsFile file = MetricsFile.Open(Path, 0))
        {
            for (long step = 1; step <= 5; step++)
                file.Append(step, row => row.WriteNumber("loss", 0.5 / step));
            file.Append(3, row => row.WriteString("samples", "a.png"));
        }
        // As a power failure may leave it.
        File.AppendAllText(Path, "{\"step\":2,\"lo");
        using (MetricsFile file = MetricsFile.Open(Path, 3))
            file.Append(4, row => row.WriteNumber("loss", 7));
        Assert.Equal(
            ["{\"step\":1,\"loss\":0.5}", "{\"step\":2,\"loss\":0.25}", "{\"step\":3,\"loss\":0.16666666666666666}", "{\"step\":3,\"samples\":\"a.png\"}", "{\"step\":4,\"loss\":7}"],
            File.ReadAllLines(Path));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void ARowIsInTheFileAtOnce()
    {
        using MetricsFile file = MetricsFile.Open(Path, 0);
        file.Append(1, row => row.WriteNumber("loss", 1));
        using var reader = new StreamReader(new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal("{\"step\":1,\"loss\":1}\n", reader.ReadToEnd());
    }

    [Fact]
    public void AFolderThatIsNotThereIsNamed()
    {
        var exception = Assert.Throws<SoraException>(() => MetricsFile.Open(System.IO.Path.Combine(_folder, "none", "metrics.jsonl"), 0));
        Assert.Contains("none/metrics.jsonl: cannot be opened", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
