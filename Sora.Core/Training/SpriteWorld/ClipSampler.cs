namespace Sora.Training.SpriteWorld;

/// <summary>Draws clip descriptions at random, with positions and speeds that keep the subject in the frame.</summary>
internal static class ClipSampler
{
    public static ClipDescription Sample(SpriteWorldConfig config, ClipRandom random, ClipFilter? filter)
    {
        Subject subject = filter?.Subject ?? random.Pick(config.Subjects);
        Scene scene = filter?.Scene ?? random.Pick(config.Scenes);
        Motion motion = filter?.Motion ?? random.Pick(config.Motions);
        SubjectColour colour = filter?.Colour ?? random.Pick(config.Colours);
        SubjectSize size = random.Pick(config.Sizes);
        TimeOfDay time = random.Pick(config.TimesOfDay);
        float extent = size switch
        {
            SubjectSize.Small => random.Between(0.25f, 0.30f),
            SubjectSize.Big => random.Between(0.62f, 0.68f),
            _ => random.Between(0.42f, 0.52f),
        };
        var clip = new ClipDescription
        {
            Subject = subject,
            Scene = scene,
            Motion = motion,
            Colour = colour,
            Size = size,
            TimeOfDay = scene.HasSky ? time : TimeOfDay.Day,
            Camera = random.Pick(config.CameraMoves),
            SceneSeed = random.NextUInt64(),
            FacesRight = random.Chance(0.5f),
            Extent = extent,
            Start = (random.Between(0.32f, 0.68f), RestingHeight(subject, scene, random)),
        };
        return WithMotion(clip, config.Seconds, random);
    }

    private static ClipDescription WithMotion(ClipDescription clip, float seconds, ClipRandom random)
    {
        (float x, float y) = clip.Start;
        switch (clip.Motion)
        {
            case Motion.Left or Motion.Right:
                float across = random.Between(0.42f, 0.58f);
                float middle = 0.5f + random.Between(-0.04f, 0.04f);
                x = clip.Motion == Motion.Left ? middle + (across / 2f) : middle - (across / 2f);
                return clip with { Start = (x, y), Speed = across / seconds };
            case Motion.Up or Motion.Down:
                float along = random.Between(0.42f, 0.54f);
                float centre = 0.5f + random.Between(-0.04f, 0.04f);
                y = clip.Motion == Motion.Up ? centre + (along / 2f) : centre - (along / 2f);
                return clip with { Start = (x, y), Speed = along / seconds };
            case Motion.Bounces:
                return clip with
                {
                    Start = (x, random.Between(0.68f, 0.74f)),
                    Speed = random.Between(0.97f, 1.03f),
                    Reach = random.Between(0.30f, 0.40f),
                };
            case Motion.Circles:
                return clip with
                {
                    Start = (random.Between(0.45f, 0.55f), random.Between(0.48f, 0.54f)),
                    Speed = random.Between(0.48f, 0.55f),
                    Reach = random.Between(0.18f, 0.24f),
                };
            case Motion.Spins:
                return clip with { Start = (x, random.Between(0.45f, 0.6f)), Speed = random.Between(0.45f, 0.55f) };
            case Motion.Grows:
                return clip with
                {
                    Start = (x, random.Between(0.45f, 0.6f)),
                    Extent = 0.5f * clip.Extent,
                    Speed = 0.75f * clip.Extent / seconds,
                };
            case Motion.Shrinks:
                return clip with
                {
                    Start = (x, random.Between(0.45f, 0.6f)),
                    Extent = 1.25f * clip.Extent,
                    Speed = 0.75f * clip.Extent / seconds,
                };
            default:
                return clip;
        }
    }

    private static float RestingHeight(Subject subject, Scene scene, ClipRandom random)
    {
        if (!scene.HasGround)
            return random.Between(0.36f, 0.64f);
        return subject.Locomotion.Habitat switch
        {
            Habitat.Ground => random.Between(0.68f, 0.75f),
            Habitat.Water => random.Between(0.5f, 0.66f),
            _ => random.Between(0.34f, 0.52f),
        };
    }
}
