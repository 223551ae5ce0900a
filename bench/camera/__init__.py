"""What a camera does with light: where rays go, how pictures of linear light become a clip."""
