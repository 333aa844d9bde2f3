using Sora.Tests.Training.SpriteWorld;
using Sora.Tests.Weights;
using Sora.Training;
using Sora.Training.Data;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.Data;

public class CaptionMixTests
{
    [Fact]
    public void ShortAndDetailedCaptionsAreMixedByAShare()
    {
        var captions = new ClipCaptions(["one", "two"], ["in detail"]);
        Assert.Equal("in detail", captions.Pick(0.3, 0.29, 0.9));
        Assert.Equal("two", captions.Pick(0.3, 0.31, 0.9));
        Assert.Equal("one", captions.Pick(0, 0, 0));
        Assert.Equal("one", new ClipCaptions(["one"], []).Pick(1, 0, 0.99));
    }

    [Fact]
    public void TheDrawnWorldsDetailedCaptionIsExactAndReadsBack()
    {
        World world = SyntheticAtlas.World(SpriteWorldConfig.Everything);
        HashSet<string> words = [.. WorldVocabulary.Of(SpriteWorldConfig.Everything, detailed: true).Keys];
        for (ulong seed = 0; seed < 150; seed++)
        {
            ClipDescription clip = world.Sample(seed);
            string caption = DetailedCaption.Of(clip);
            Assert.Equal(CaptionMeaning.Of(clip), CaptionParser.Parse(caption));
            Assert.True(caption.Split(' ').Length > 25, caption);
            Assert.Subset(words, CaptionParser.Words(caption).ToHashSet());
        }
        string fish = DetailedCaption.Of(CaptionsTests.RedFish);
        Assert.Equal(
            "A red fish swims left in the deep sea. It begins on the right-hand side, at half height. Its length is two fifths of the picture's shorter side. It moves slowly. The camera does not move.",
            fish);
    }

    [Fact]
    public void DrawnClipsHaveShapesOfTheirOwnAndMoveAsLongAsTheyLast()
    {
        var clips = new SpriteClipSource(SyntheticAtlas.FirstEdition, new ClipShapes(), new(16, 4), 8, clips: 60, pictures: 20, seed: 3);
        Assert.Equal(80, clips.Count);
        Assert.Equal(80, Enumerable.Range(0, 80).Select(i => clips.Info(i).Key).Distinct().Count());
        Assert.All(Enumerable.Range(60, 20), i => Assert.Equal(1, clips.Info(i).Shape.Frames));
        Assert.All(Enumerable.Range(0, 60), i => Assert.InRange(clips.Info(i).Shape.Frames, 5, 33));
        for (int i = 0; i < 60; i++)
        {
            ClipDescription clip = clips.Describe(i);
            float end = clip.Start.X + ((clip.Motion == Motion.Left ? -1 : clip.Motion == Motion.Right ? 1 : 0) * clip.Speed * clips.Info(i).Shape.Frames / 8);
            Assert.InRange(end, 0.1f, 0.9f);
        }
        ClipShape shape = clips.Info(5).Shape;
        Assert.Equal(shape.Pixels * 3, clips.Draw(5, default).Length);
        Assert.True(clips.Captions(5).Short.Count > 10);
        // Other sprites are another content.
        var others = new SpriteClipSource(
            new World(SpriteWorldConfig.FirstEdition, SyntheticAtlas.Of(SpriteWorldConfig.FirstEdition.Subjects.Reverse())), new ClipShapes(), new(16, 4), 8, 60, 20, 3);
        Assert.Equal(clips.Info(5).Shape, others.Info(5).Shape);
        Assert.NotEqual(clips.Info(5).Key, others.Info(5).Key);
    }

    [Fact]
    public void ACaptionerDescribesEachClipOnce()
    {
        using var temporary = new TemporaryFolder();
        var shape = new ClipShape(16, 16, 1);
        var captioner = new CountingCaptioner("grey-1");
        RecaptionedClips clips = Open(new FakeClips(("a", shape), ("b", shape)), captioner);
        Assert.Equal(["A grey of 194, described."], clips.Captions(0).Detailed);
        Assert.Equal(["grey 0"], clips.Captions(0).Short);
        Assert.Equal(2, captioner.Calls);
        Assert.Contains("described", clips.Vocabulary.Keys);
        Assert.Contains("grey", clips.Vocabulary.Keys);

        Open(new FakeClips(("a", shape), ("b", shape), ("c", shape)), captioner);
        Assert.Equal(3, captioner.Calls);
        var other = new CountingCaptioner("grey-2");
        Open(new FakeClips(("a", shape)), other);
        Assert.Equal(1, other.Calls);

        RecaptionedClips Open(IClipSource source, ICaptioner with) => RecaptionedClips.Open(source, with, temporary.File("captions.json"), _ => { }, default);
    }

    [Fact]
    public void WhatWasDescribedBeforeAnInterruptionIsKept()
    {
        using var temporary = new TemporaryFolder();
        var shape = new ClipShape(16, 16, 1);
        (string, ClipShape)[] three = [("a", shape), ("b", shape), ("c", shape)];
        using var stop = new CancellationTokenSource();
        var stopping = new CountingCaptioner("grey-1") { Called = CancelAt };
        Assert.Throws<OperationCanceledException>(() => RecaptionedClips.Open(new FakeClips(three), stopping, temporary.File("captions.json"), _ => { }, stop.Token));
        Assert.Equal(2, stopping.Calls);
        var captioner = new CountingCaptioner("grey-1");
        RecaptionedClips clips = RecaptionedClips.Open(new FakeClips(three), captioner, temporary.File("captions.json"), _ => { }, default);
        Assert.Equal(1, captioner.Calls);
        Assert.All(Enumerable.Range(0, 3), clip => Assert.Single(clips.Captions(clip).Detailed));

        void CancelAt(int calls)
        {
            if (calls == 2)
                stop.Cancel();
        }
    }

    private sealed class CountingCaptioner(string name) : ICaptioner
    {
        public int Calls { get; private set; }

        public Action<int>? Called { get; init; }

        public string Name => name;

        public string Describe(IClipSource clips, int clip, CancellationToken cancellationToken)
        {
            Calls++;
            Called?.Invoke(Calls);
            return $"A grey of {clips.Draw(clip, cancellationToken)[0]}, described.\n";
        }
    }
}
