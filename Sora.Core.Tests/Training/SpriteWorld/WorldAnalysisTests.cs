using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

/// <summary>With the real sprites, from models/sprites.sh (which test.sh runs).</summary>
public class WorldAnalysisTests
{
    private static readonly Lazy<World> s_world = new(() => new World(
        SpriteWorldConfig.FirstEdition,
        SpriteAtlas.Load(SpriteAtlas.DefaultFolder, SpriteWorldConfig.FirstEdition.Subjects)));

    private static readonly Lazy<WorldAnalysis> s_analysis = new(() => new WorldAnalysis(s_world.Value));

    private static readonly Lazy<World> s_byDay = new(() => new World(
        SpriteWorldConfig.ByDay,
        SpriteAtlas.Load(SpriteAtlas.DefaultFolder, SpriteWorldConfig.ByDay.Subjects)));

    private static readonly Lazy<WorldAnalysis> s_byDayAnalysis = new(() => new WorldAnalysis(s_byDay.Value));

    [Fact]
    public void Recognises_drawn_clips()
    {
        const int count = 120;
        ClipDescription[] clips = [.. Enumerable.Range(0, count).Select(i => s_world.Value.Sample((ulong)i + 500))];
        ClipAnalysis[] seen = [.. clips.Select(clip => Analyse(clip, 64, 64, 17))];
        AssertAtLeast(0.98, clips, seen);

        // Against another clip's caption it is right as often as chance is: 1 in 8, 1 in 4, 1 in 6.
        ClipScore[] shuffled = [.. seen.Select((shown, i) =>
            WorldAnalysis.Score(shown, CaptionMeaning.Of(clips[(i + 1) % count])))];
        Assert.InRange(shuffled.Count(score => score.Subject), 0.03 * count, 0.25 * count);
        Assert.InRange(shuffled.Count(score => score.Scene), 0.12 * count, 0.40 * count);
        Assert.InRange(shuffled.Count(score => score.Motion), 0.06 * count, 0.30 * count);
        Assert.InRange(shuffled.Count(score => score.All), 0, 0.05 * count);
    }

    [Fact]
    public void Recognises_all_subjects_scenes_and_motions()
    {
        ClipDescription[] clips = [.. Enumerable.Range(0, 50).Select(i => s_byDay.Value.Sample((ulong)i + 500))];
        AssertAtLeast(0.98, clips, [.. clips.Select(ByDay)]);
    }

    [Fact]
    public void Tells_spinning_from_resting_growing_and_moving()
    {
        ClipDescription[] clips = [.. Enumerable.Range(0, 30).Select(i => s_byDay.Value.Sample((ulong)i + 900, new()
        {
            Motion = i % 2 == 0 ? Motion.Spins : i % 3 == 0 ? Motion.Rests : i % 5 == 0 ? Motion.Grows : Motion.Circles,
        }))];
        bool[] spins = [.. clips.Select(clip => ByDay(clip).Motion == Motion.Spins)];
        Assert.InRange(spins.Where((found, i) => found && clips[i].Motion == Motion.Spins).Count(), 14, 15);
        Assert.DoesNotContain(clips.Where((_, i) => spins[i]), clip => clip.Motion != Motion.Spins);
    }

    private static ClipAnalysis ByDay(ClipDescription clip)
    {
        var rgb = new byte[17 * 64 * 64 * 3];
        s_byDay.Value.Render(clip, 64, 64, 17, 8, rgb);
        return s_byDayAnalysis.Value.Analyse(rgb, 64, 64);
    }

    [Theory]
    [InlineData(112, 64, 9)]
    [InlineData(48, 80, 17)]
    [InlineData(96, 96, 33)]
    public void Recognises_clips_of_any_size(int width, int height, int frames)
    {
        ClipDescription[] clips = [.. Enumerable.Range(0, 15).Select(i => s_world.Value.Sample((ulong)i + 900))];
        AssertAtLeast(0.9, clips, [.. clips.Select(clip => Analyse(clip, width, height, frames))]);
    }

    [Fact]
    public void Recognises_blurred_and_noisy_clips()
    {
        ClipDescription[] clips = [.. Enumerable.Range(0, 30).Select(i => s_world.Value.Sample((ulong)i + 1300))];
        AssertAtLeast(0.95, clips, [.. clips.Select(clip => Analyse(clip, 64, 64, 17, Degrade))]);
    }

    [Fact]
    public void Follows_the_subject()
    {
        ClipDescription clip = s_world.Value.Sample(4, new ClipFilter { Motion = Motion.Right });
        ClipAnalysis seen = Analyse(clip, 64, 64, 17);
        for (int t = 0; t < 17; t++)
        {
            Assert.Equal(clip.Start.X + (clip.Speed * t / 8f), seen.Track[t].X, 0.05f);
            Assert.Equal(clip.Start.Y, seen.Track[t].Y, 0.05f);
        }
    }

    [Fact]
    public void Sees_no_subject_in_a_plain_picture_and_scores_it()
    {
        var grey = new byte[5 * 64 * 64 * 3];
        Array.Fill(grey, (byte)128);
        Assert.Null(s_analysis.Value.Analyse(grey, 64, 64).Subject);
        ClipScore score = s_analysis.Value.Score(grey, 64, 64, CaptionParser.Parse("a red fish swims left"));
        Assert.False(score.Subject || score.Motion || score.Colour);
        Assert.True(score.Scene); // not asked for
    }

    [Fact]
    public void A_car_in_its_own_colour_is_a_red_car()
    {
        ClipDescription clip = s_world.Value.Sample(8, new ClipFilter
        {
            Subject = SubjectCatalogue.Get("car"), Colour = SubjectColour.Own, Motion = Motion.Left,
        });
        ClipAnalysis seen = Analyse(clip, 64, 64, 17);
        Assert.True(WorldAnalysis.Score(seen, CaptionParser.Parse("a red car drives left")).All);
        Assert.True(WorldAnalysis.Score(seen, CaptionParser.Parse("a car drives left")).All);
        Assert.False(WorldAnalysis.Score(seen, CaptionParser.Parse("a blue car drives left")).Colour);
    }

    [Fact]
    public void Refuses_half_a_frame() =>
        Assert.Throws<ArgumentException>(() => s_analysis.Value.Analyse(new byte[100], 64, 64));

    private static void AssertAtLeast(double share, ClipDescription[] clips, ClipAnalysis[] seen)
    {
        ClipScore[] scores = [.. clips.Zip(seen, (clip, shown) => WorldAnalysis.Score(shown, CaptionMeaning.Of(clip)))];
        Assert.InRange(scores.Average(score => score.Subject ? 1.0 : 0.0), share, 1.0);
        Assert.InRange(scores.Average(score => score.Scene ? 1.0 : 0.0), share, 1.0);
        Assert.InRange(scores.Average(score => score.Motion ? 1.0 : 0.0), share, 1.0);
        Assert.InRange(scores.Average(score => score.Colour ? 1.0 : 0.0), share, 1.0);
    }

    private static ClipAnalysis Analyse(
        ClipDescription clip, int width, int height, int frames, Func<byte[], byte[]>? change = null)
    {
        var rgb = new byte[frames * height * width * 3];
        s_world.Value.Render(clip, width, height, frames, 8, rgb);
        return s_analysis.Value.Analyse(change?.Invoke(rgb) ?? rgb, width, height);
    }

    /// <summary>The mean of 3 x 3 pixels of 64 x 64 frames, and noise: worse than a generated video.</summary>
    private static byte[] Degrade(byte[] rgb)
    {
        var degraded = new byte[rgb.Length];
        var noise = new Random(1);
        const int row = 64 * 3;
        for (int i = 0; i < rgb.Length; i++)
        {
            int sum = 0;
            foreach (int offset in new[] { -row - 3, -row, -row + 3, -3, 0, 3, row - 3, row, row + 3 })
                sum += rgb[Math.Clamp(i + offset, i % 3, rgb.Length - 3 + (i % 3))];
            degraded[i] = (byte)Math.Clamp((sum / 9) + noise.Next(-15, 16), 0, 255);
        }

        return degraded;
    }
}
