using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training.SpriteWorld;

public class HeldOutPairsTests
{
    private static readonly SpriteWorldConfig s_first = SpriteWorldConfig.FirstEdition;

    [Fact]
    public void A_tenth_of_the_catalogue_is_held_out()
    {
        Assert.Equal(32, HeldOutPairs.Motions.Count); // of 320
        Assert.Equal(26, HeldOutPairs.Scenes.Count); // of 256
        Assert.Equal(5, HeldOutPairs.Motions.Count(pair => // of 48
            s_first.Subjects.Contains(pair.Subject) && s_first.Motions.Contains(pair.Motion)));
        Assert.Equal(3, HeldOutPairs.Scenes.Count(pair => // of 32
            s_first.Subjects.Contains(pair.Subject) && s_first.Scenes.Contains(pair.Scene)));
        Assert.All(HeldOutPairs.Motions.GroupBy(pair => pair.Motion), group => Assert.InRange(group.Count(), 1, 5));
        Assert.All(HeldOutPairs.Scenes.GroupBy(pair => pair.Scene), group => Assert.InRange(group.Count(), 1, 5));
    }

    [Fact]
    public void Training_never_shows_them_and_evaluation_always_does()
    {
        World[] worlds = [SyntheticAtlas.FirstEdition, SyntheticAtlas.World(SpriteWorldConfig.Everything)];
        foreach (World world in worlds)
        {
            for (ulong seed = 0; seed < 3000; seed++)
            {
                Assert.False(HeldOutPairs.Contains(world.SampleTraining(seed)));
                Assert.True(HeldOutPairs.Contains(world.SampleHeldOut(seed)));
            }
        }
    }

    [Fact]
    public void Training_shows_every_subject_scene_motion_and_colour_often()
    {
        World world = SyntheticAtlas.FirstEdition;
        ClipDescription[] clips = [.. Enumerable.Range(0, 4000).Select(i => world.SampleTraining((ulong)i))];
        Assert.All(s_first.Subjects, subject => Assert.InRange(clips.Count(clip => clip.Subject == subject), 300, 700));
        Assert.All(s_first.Scenes, scene => Assert.InRange(clips.Count(clip => clip.Scene == scene), 700, 1300));
        Assert.All(s_first.Motions, motion => Assert.InRange(clips.Count(clip => clip.Motion == motion), 450, 900));
        Assert.All(s_first.Colours, colour => Assert.InRange(clips.Count(clip => clip.Colour == colour), 800, 1200));
    }

    [Fact]
    public void Evaluation_prompts_differ_and_describe_held_out_clips()
    {
        World world = SyntheticAtlas.FirstEdition;
        IReadOnlyList<(string Prompt, ClipDescription Clip)> prompts = world.EvaluationPrompts(60, seed: 1);
        Assert.Equal(60, prompts.Select(prompt => prompt.Prompt).Distinct().Count());
        Assert.All(prompts, prompt =>
        {
            Assert.True(HeldOutPairs.Contains(prompt.Clip));
            Assert.Equal(CaptionMeaning.Of(prompt.Clip), CaptionParser.Parse(prompt.Prompt));
        });
        Assert.Equal(prompts, world.EvaluationPrompts(60, seed: 1));
    }
}
