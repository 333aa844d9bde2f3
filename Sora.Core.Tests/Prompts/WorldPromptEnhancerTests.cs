using Sora.Prompts;
using Sora.Tests.Generation;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Prompts;

public class WorldPromptEnhancerTests
{
    private static readonly WorldPromptEnhancer Enhancer = new(SpriteWorldConfig.ByDay);

    public static TheoryData<string> Prompts =>
        ["a dog", "A red fish", "whale", "a green car in the desert", "an owl flies", "the ball bounces", "a rocket rises quickly", "puppies running fast on the beach", "butterfly, spinning"];

    [Theory]
    [MemberData(nameof(Prompts))]
    public void AShortPromptBecomesACaptionThatSaysEverythingAndTheSameEachTime(string prompt)
    {
        EnhancedPrompt enhanced = Enhancer.Enhance(prompt);
        CaptionMeaning meaning = CaptionParser.Parse(enhanced.Prompt);
        Assert.NotNull(meaning.Subject);
        Assert.NotNull(meaning.Motion);
        Assert.NotNull(meaning.Scene);
        Assert.EndsWith(".", enhanced.Prompt, StringComparison.Ordinal);
        Assert.Equal(enhanced.Prompt, new WorldPromptEnhancer(SpriteWorldConfig.ByDay).Enhance(prompt).Prompt);
        // What was chosen is what training saw.
        Assert.DoesNotContain((meaning.Subject, meaning.Motion.Value), HeldOutPairs.Motions);
        Assert.DoesNotContain((meaning.Subject, meaning.Scene), HeldOutPairs.Scenes);
        // And it is a caption of the world, word for word.
        Assert.Contains(enhanced.Prompt, Captions.Corpus(SpriteWorldConfig.ByDay with
        {
            Subjects = [meaning.Subject],
            Scenes = [meaning.Scene],
            Motions = [meaning.Motion.Value],
            Colours = [meaning.Colour],
        }));
    }

    [Theory]
    [InlineData("a green car in the desert", "car", "desert", null, SubjectColour.Green)]
    [InlineData("whale swims up", "whale", null, Motion.Up, SubjectColour.Own)]
    [InlineData("blue bunnies jump in the snow", "rabbit", "snowy mountains", Motion.Bounces, SubjectColour.Blue)]
    [InlineData("a dog runs right in starry space", "dog", "starry space", Motion.Right, SubjectColour.Own)]
    [InlineData("a goldfish circling underwater", "fish", "deep sea", Motion.Circles, SubjectColour.Own)]
    public void WhatThePromptSaysIsKept(string prompt, string subject, string? scene, Motion? motion, SubjectColour colour)
    {
        CaptionMeaning meaning = CaptionParser.Parse(Enhancer.Enhance(prompt).Prompt);
        Assert.Equal(subject, meaning.Subject!.Name);
        Assert.Equal(colour, meaning.Colour);
        Assert.Equal(scene ?? meaning.Scene!.Name, meaning.Scene!.Name);
        Assert.Equal(motion ?? meaning.Motion, meaning.Motion);
    }

    [Theory]
    [InlineData("a fish glides", "glid")]
    [InlineData("a dog quickly", "quickly")]
    [InlineData("a cat on the dunes", "desert")]
    [InlineData("the sandy desert, a horse", "sandy")]
    [InlineData("a duck is waddling to the right", "waddl")]
    public void SoAreItsWords(string prompt, string word)
    {
        EnhancedPrompt enhanced = Enhancer.Enhance(prompt);
        Assert.Contains(word, enhanced.Prompt, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(enhanced.Notes);
    }

    [Theory]
    [InlineData("a red fish swims left in the deep sea")]
    [InlineData("In the deep sea, a red fish moves left.")]
    public void APromptThatSaysEverythingStaysAsItIs(string prompt)
    {
        EnhancedPrompt enhanced = Enhancer.Enhance(prompt);
        Assert.Equal(prompt, enhanced.Prompt);
        Assert.Empty(enhanced.Notes);
    }

    [Theory]
    [InlineData("a small yellow fish at night", "\"small\", \"yellow\", \"night\"")] // sizes and nights are not in this part of the world
    [InlineData("a dog and a cat", "\"cat\"")]
    [InlineData("a fisch swims", "\"fisch\" (nearest: fish)")]
    [InlineData("a unicorn", "\"unicorn\"")]
    public void WhatTheWorldDoesNotKnowIsReported(string prompt, string words)
    {
        EnhancedPrompt enhanced = Enhancer.Enhance(prompt);
        Assert.Contains(enhanced.Notes, note => note.Contains(words, StringComparison.Ordinal));
        Assert.DoesNotContain("yellow", enhanced.Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public void AChosenSubjectAndOneOfSeveralAreReported()
    {
        EnhancedPrompt unicorn = Enhancer.Enhance("a unicorn");
        Assert.Contains(unicorn.Notes, note => note.Contains($"\"{CaptionParser.Parse(unicorn.Prompt).Subject}\" was chosen; it has: dog, cat,", StringComparison.Ordinal));
        Assert.Equal(["\"puppies\" became one dog: a clip of the drawn world shows one of a kind."], Enhancer.Enhance("puppies running fast on the beach").Notes);
    }

    [Fact]
    public void TheWholeWorldHasSizesTimesAndCameras()
    {
        EnhancedPrompt enhanced = new WorldPromptEnhancer(SpriteWorldConfig.Everything).Enhance("a small dog at night while the camera pans leftwards");
        Assert.Empty(enhanced.Notes);
        CaptionMeaning meaning = CaptionParser.Parse(enhanced.Prompt);
        Assert.Equal((SubjectSize.Small, TimeOfDay.Night, CameraMove.PanLeft), (meaning.Size, meaning.TimeOfDay, meaning.Camera));
        Assert.True(meaning.Scene!.HasSky);
    }

    [Theory]
    [InlineData("a dog chases a red cat", "red cat")]
    [InlineData("a whale and a small fish swim left in the deep sea", "small fish")]
    [InlineData("a car while the camera zooms out", null)]
    public void TheWholeWorldHasTwoSubjects(string prompt, string? second)
    {
        EnhancedPrompt enhanced = new WorldPromptEnhancer(SpriteWorldConfig.Everything).Enhance(prompt);
        CaptionMeaning asked = CaptionParser.Parse(prompt), said = CaptionParser.Parse(enhanced.Prompt);
        Assert.Equal(asked.Subject, said.Subject);
        Assert.Equal(asked.Camera, said.Camera);
        Assert.Equal(second is null, said.Companion is null);
        if (second is null)
            return;
        Assert.Contains(second, enhanced.Prompt, StringComparison.Ordinal);
        Assert.NotNull(said.Companion!.Motion);
        Assert.Equal(asked.Companion!.Motion ?? said.Companion.Motion, said.Companion.Motion);
        // A part of the world with single subjects says which one it leaves out.
        EnhancedPrompt alone = Enhancer.Enhance(prompt);
        Assert.Null(CaptionParser.Parse(alone.Prompt).Companion);
        Assert.Contains(alone.Notes, note => note.Contains($"\"{second.Split(' ')[1]}\"", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatAPartOfTheWorldLacksIsNotSaid()
    {
        // The first edition has no octopus, no beach and no circles.
        EnhancedPrompt enhanced = new WorldPromptEnhancer(SpriteWorldConfig.FirstEdition).Enhance("an octopus in a circle on the beach");
        CaptionMeaning meaning = CaptionParser.Parse(enhanced.Prompt);
        Assert.Contains(meaning.Subject, SpriteWorldConfig.FirstEdition.Subjects);
        Assert.Contains(meaning.Scene, SpriteWorldConfig.FirstEdition.Scenes);
        Assert.Contains(enhanced.Notes, note => note.Contains("\"octopus\", \"circle\", \"beach\"", StringComparison.Ordinal));
    }

    [Fact]
    public void ThePocketModelNamesItsWorld()
    {
        Assert.NotNull(WorldPromptEnhancer.For(VideoGenerator.ReadLimits(PocketModel.Folder)));
        Assert.Null(WorldPromptEnhancer.For(VideoGenerator.ReadLimits(TinyModel.Folder)));
        Assert.Equal("by-day", SpriteWorldConfig.NameOf(SpriteWorldConfig.ByDay));
        Assert.Null(SpriteWorldConfig.NameOf(SpriteWorldConfig.ByDay with { Seconds = 3 }));
    }

    [Fact]
    public async Task ARequestKeepsThePersonsWords()
    {
        VideoRequest request = new("a dog") { Seed = 3 };
        (VideoRequest enhanced, IReadOnlyList<string> notes) = await Enhancer.EnhanceAsync(request);
        Assert.Empty(notes);
        Assert.Equal("a dog", enhanced.OriginalPrompt);
        Assert.Equal(request with { Prompt = Enhancer.Enhance("a dog").Prompt, OriginalPrompt = "a dog" }, enhanced);
        Assert.Same(enhanced, (await Enhancer.EnhanceAsync(enhanced)).Request);
        VideoRequest complete = new("a red fish swims left in the deep sea");
        Assert.Same(complete, (await Enhancer.EnhanceAsync(complete)).Request);
    }

    [Fact]
    public void ARecordHasBothPrompts()
    {
        var record = new GenerationRecord(new VideoRequest("There is a dog on the meadow. It runs left.") { OriginalPrompt = "a dog", Seed = 3 });
        string json = record.ToJson();
        Assert.Contains("\"prompt\":\"a dog\",\"enhanced_prompt\":\"There is a dog on the meadow. It runs left.\"", json, StringComparison.Ordinal);
        Assert.Equal("a dog", record.Tags()["title"]);
        Assert.DoesNotContain("enhanced", new GenerationRecord(new VideoRequest("a dog")).ToJson(), StringComparison.Ordinal);
        Assert.Throws<SoraException>(() => new VideoRequest("a dog") { OriginalPrompt = " " });
    }
}
