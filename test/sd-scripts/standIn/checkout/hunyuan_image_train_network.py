from library.train_util import main

if __name__ == "__main__":
    main("hunyuan_image")
