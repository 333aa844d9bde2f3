using System.Text;
using Sora.Training.Metrics;
using Xunit;

namespace Sora.Tests.Training.Metrics;

public sealed class EventFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-events-").FullName;

    [Fact]
    public void TheReadersChecksumIsCrc32C() =>
        Assert.Equal(0xe3069283u, TensorBoardReader.Crc32C(Encoding.ASCII.GetBytes("123456789"))); // RFC 3720's check value

    [Fact]
    public void HoldsScalarsAndPictures()
    {
        byte[] png = [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 7))];
        using (var file = new EventFile(_folder, 0))
        {
            file.Add(1, [("train/loss", 0.25), ("train/learning_rate", 1e-3)]);
            file.Add(200, "samples", new PngImage(png, 130, 66));
        }
        string path = Assert.Single(Directory.GetFiles(_folder));
        Assert.StartsWith("events.out.tfevents.", Path.GetFileName(path), StringComparison.Ordinal);
        IReadOnlyList<ILookup<int, TensorBoardReader.Field>> events = TensorBoardReader.Read(path);
        Assert.Equal(3, events.Count);
        Assert.All(events, e => Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - e[1].Single().Double, -1, 60));
        Assert.Equal("brain.Event:2", events[0][3].Single().Text);

        Assert.Equal(1ul, events[1][2].Single().Value);
        TensorBoardReader.Field[] values = [.. events[1][5].Single().Message[1]];
        Assert.Equal(["train/loss", "train/learning_rate"], values.Select(v => v.Message[1].Single().Text));
        Assert.Equal([0.25f, 1e-3f], values.Select(v => v.Message[2].Single().Float));

        Assert.Equal(200ul, events[2][2].Single().Value);
        ILookup<int, TensorBoardReader.Field> value = events[2][5].Single().Message[1].Single().Message, image = value[4].Single().Message;
        Assert.Equal("samples", value[1].Single().Text);
        Assert.Equal((66ul, 130ul, 3ul), (image[1].Single().Value, image[2].Single().Value, image[3].Single().Value));
        Assert.Equal(png, image[4].Single().Bytes);
    }

    // TensorBoard drops what other files of the folder say of steps from a START on.
    [Fact]
    public void AResumedTrainingTakesBackLaterSteps()
    {
        new EventFile(_folder, 0).Dispose();
        new EventFile(_folder, 40).Dispose();
        string[] files = [.. Directory.GetFiles(_folder).Order(StringComparer.Ordinal)];
        Assert.Equal(2, files.Length);
        Assert.Single(TensorBoardReader.Read(files[0]));
        ILookup<int, TensorBoardReader.Field> start = TensorBoardReader.Read(files[1])[1];
        Assert.Equal(41ul, start[2].Single().Value);
        Assert.Equal(1ul, start[7].Single().Message[1].Single().Value);
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
