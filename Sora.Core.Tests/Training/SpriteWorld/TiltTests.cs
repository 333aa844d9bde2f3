using Sora.Prompts;
using Sora.Tests.Training.Data;
using Sora.Training;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public sealed class TiltTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-test-").FullName;

    public TiltTests() => TinyVae.Write(Path.Combine(_folder, "vae"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AShareOfSubjectsThatDoNotSpinIsTiltedAndAllElseIsAsASeedSays()
    {
        World upright = SyntheticAtlas.World(SpriteWorldConfig.ByDay), world = SyntheticAtlas.World(SpriteWorldConfig.ByDay with { TiltedShare = 0.3f });
        ClipDescription[] clips = [.. Enumerable.Range(0, 600).Select(i => world.Sample((ulong)i))];
        Assert.All(clips.Select((clip, i) => (clip, i)), pair => Assert.Equal(upright.Sample((ulong)pair.i) with { Tilt = pair.clip.Tilt }, pair.clip));
        Assert.InRange(clips.Where(clip => clip.Motion != Motion.Spins).Average(clip => clip.Tilt == 0 ? 0.0 : 1), 0.24, 0.36);
        Assert.All(clips.Where(clip => clip.Motion == Motion.Spins), clip => Assert.Equal(0, clip.Tilt));
        float[] tilts = [.. clips.Select(clip => clip.Tilt).Where(tilt => tilt != 0)];
        Assert.All(tilts, tilt => Assert.InRange(tilt, 20, 340));
        Assert.Equal(8, tilts.Select(tilt => (int)(tilt / 45)).Distinct().Count());
        Assert.All(Enumerable.Range(0, 300), i => Assert.Equal(0, upright.Sample((ulong)i).Tilt));
    }

    [Fact]
    public void WhatIsTiltedIsDrawnAsWhatHasSpunThatFar()
    {
        const int frame = 64 * 64 * 3;
        World world = SyntheticAtlas.World(SpriteWorldConfig.ByDay);
        ClipDescription spins = world.Sample(3, new() { Motion = Motion.Spins, Subject = SubjectCatalogue.Get("car") }) with { Speed = 0.25f };
        ClipDescription rests = spins with { Motion = Motion.Rests, Tilt = 90 };
        byte[] turning = Draw(spins), still = Draw(rests);
        for (int t = 0; t < 17; t++)
            Assert.Equal(still[..frame], still[(t * frame)..((t + 1) * frame)]);
        // After a second of a quarter of a turn each.
        Assert.Equal(turning[(8 * frame)..(9 * frame)], still[..frame]);
        Assert.NotEqual(turning[..frame], still[..frame]);
        // And so is its map, whose numbers of a turn are the cosine and the sine.
        Assert.Equal(MapAt(spins, 1), MapAt(rests, 0));

        byte[] Draw(ClipDescription clip)
        {
            var rgb = new byte[17 * frame];
            world.Render(clip, 64, 64, 17, 8, rgb);
            return rgb;
        }

        float[] MapAt(ClipDescription clip, float seconds)
        {
            var map = new float[SemanticMap.Channels * 8 * 8];
            SemanticMap.Draw(clip, world.Atlas, (64, 64), (0, 0, 64, 64), [[seconds]], 8, map);
            return map;
        }
    }

    [Fact]
    public void CaptionsSayThatASubjectIsTiltedAndAreReadBack()
    {
        ClipDescription clip = CaptionsTests.RedFish with { Tilt = 120, Size = SubjectSize.Big };
        Assert.StartsWith("a tilted big red fish swims left", Captions.FullSentence(clip), StringComparison.Ordinal);
        Assert.All(Captions.All(clip), caption => Assert.Contains("ilted big red fish", caption, StringComparison.Ordinal));
        Assert.All(Captions.All(clip), caption => Assert.True(CaptionParser.Parse(caption) is { Tilted: true, Size: SubjectSize.Big, Colour: SubjectColour.Red }, caption));
        Assert.All(Captions.All(clip with { Tilt = 0 }), caption => Assert.False(CaptionParser.Parse(caption).Tilted));
        Assert.Equal(CaptionMeaning.Of(clip), CaptionParser.Parse(DetailedCaption.Of(clip)));
        // A tokenizer for such a world has the word.
        Assert.Contains("tilted", Captions.Vocabulary(SpriteWorldConfig.FirstEdition with { TiltedShare = 0.1f }).Keys);
        Assert.DoesNotContain("tilted", Captions.Vocabulary(SpriteWorldConfig.FirstEdition).Keys);
        // What a model does not know its prompts are not rewritten to.
        Assert.DoesNotContain("tilted", new WorldPromptEnhancer(SpriteWorldConfig.ByDay).Enhance("a tilted dog, somewhere").Prompt, StringComparison.Ordinal);
        Assert.Contains("tilted", new WorldPromptEnhancer(SpriteWorldConfig.ByDay with { TiltedShare = 0.3f }).Enhance("a tilted dog, somewhere").Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public void ATrainingIsOnTiltedSubjectsAndIsMeasuredOnUprightOnes()
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with { TiltedShare = 1, Clips = 40, ValidationClips = 8 };
        Directory.CreateDirectory(config.RunFolder);
        using (IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default))
        {
            string[] captions = [.. Enumerable.Range(0, 20).SelectMany(number => batches.Draw(number).Captions).Where(caption => caption.Length > 0)];
            Assert.All(captions, caption => Assert.True(CaptionParser.Parse(caption).Tilted, caption));
            Assert.All(batches.DrawValidation(0).Captions, caption => Assert.False(CaptionParser.Parse(caption).Tilted, caption));
        }
        // The latents that are kept are of other clips than those of another share.
        Assert.Contains("holds the latents of other clips", Refusal(config with { TiltedShare = 0.5 }), StringComparison.Ordinal);
        Assert.Equal("tilted_share is for clips of one shape: leave out shapes and data.folder, or tilted_share.", Refusal(config with { Shapes = new() }));
        Assert.Contains("tilted_share 2 is out of range", Assert.Throws<SoraException>(() => config with { TiltedShare = 2 }).Message, StringComparison.Ordinal);

        static string Refusal(FlowTrainingConfig refused) =>
            Assert.Throws<SoraException>(() => FlowBatches.Open(refused, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default)).Message;
    }
}
