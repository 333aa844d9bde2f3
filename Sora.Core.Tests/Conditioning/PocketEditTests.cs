using Sora.Frames;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Conditioning;

/// <summary>Videos that start from another one, of the model that the repository brings: the subject stays where it is and becomes what the prompt says.</summary>
public sealed class PocketEditTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public async Task ASubjectChangesItsColourAndStaysInItsPlace(double strength)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1, FewSteps = false });
        var fish = new VideoRequest("A red fish swims left in the deep sea") { Seed = 3, Steps = 10 };
        await using GeneratedVideo source = await generator.GenerateAsync(fish);
        await using GeneratedVideo edited = await generator.GenerateAsync(fish with { Prompt = "A blue fish swims left in the deep sea", Seed = 7, Source = [.. source.Frames], Strength = strength });
        for (int i = 0; i < source.Frames.Count; i += 4)
        {
            (int red, double from) = Found(source.Frames[i], (r, g, b) => r > b + 60);
            (int blue, double to) = Found(edited.Frames[i], (r, g, b) => b > 200 && g < 150);
            string found = $"frame {i}: {red} red pixels around column {from:F0}, {blue} blue ones around {to:F0}";
            Assert.True(blue > 50 && Math.Abs(from - to) < 12, found);
            Assert.True(Found(edited.Frames[i], (r, g, b) => r > b + 60).Count < 20, found);
        }
    }

    // How many pixels are of a colour, and their mean column.
    private static (int Count, double Column) Found(VideoFrame frame, Func<int, int, int, bool> colour)
    {
        byte[] rgb = frame.Rgb.ToArray();
        int[] columns = [.. Enumerable.Range(0, rgb.Length / 3).Where(i => colour(rgb[3 * i], rgb[(3 * i) + 1], rgb[(3 * i) + 2])).Select(i => i % frame.Width)];
        return (columns.Length, columns.DefaultIfEmpty().Average());
    }
}
